package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

const controlPath = "/_sandbox/"

// control serves tests and people in other processes.
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	if !isLocal(r.RemoteAddr) {
		textAnswer(http.StatusForbidden, controlPath+" answers this machine only\n").send(w)
		return
	}
	var a *answer
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, controlPath) {
	case "GET stats":
		a = s.statsAnswer()
	case "GET faults":
		a = s.faultsAnswer()
	case "POST faults":
		a = s.addFaults(r.Body)
	case "DELETE faults":
		s.ClearFaults()
		a = s.faultsAnswer()
	case "POST reset":
		s.Reset()
		a = s.faultsAnswer()
	default:
		a = textAnswer(http.StatusNotFound, fmt.Sprintf("%s has no %s %s: there are GET stats, GET, POST and DELETE faults, POST reset\n",
			controlPath, r.Method, strings.TrimPrefix(r.URL.Path, controlPath)))
	}
	a.send(w)
}

// isLocal reports whether a caller is on this machine. An address without an
// IP is that of a pipe or of a Unix socket.
func isLocal(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip := net.ParseIP(host)
	return ip == nil || ip.IsLoopback()
}

func (s *Sandbox) statsAnswer() *answer {
	body, err := json.MarshalIndent(s.Stats(), "", "  ")
	if err != nil {
		return textAnswer(http.StatusInternalServerError, err.Error())
	}
	return &answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		body:   append(body, '\n'),
	}
}

func (s *Sandbox) faultsAnswer() *answer {
	var text strings.Builder
	for _, f := range s.Faults() {
		text.WriteString(f.String() + "\n")
	}
	return textAnswer(http.StatusOK, text.String())
}

// addFaults adds all faults of a text, or none of them when one is wrong.
func (s *Sandbox) addFaults(body io.Reader) *answer {
	text, err := io.ReadAll(io.LimitReader(body, maxBody))
	if err != nil {
		return textAnswer(http.StatusBadRequest, err.Error()+"\n")
	}
	var faults []Fault
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		f, err := ParseFault(line)
		if err == nil {
			f, err = s.fitted(f)
		}
		if err != nil {
			return textAnswer(http.StatusBadRequest, err.Error()+"\n")
		}
		faults = append(faults, f)
	}
	for _, f := range faults {
		s.arm(f)
	}
	return s.faultsAnswer()
}
