package testserver

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
)

// heard keeps what the events of a run say.
type Heard struct {
	mu sync.Mutex
	b  strings.Builder
}

func (h *Heard) Emit(e event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(&h.b, "%T %+v\n", e, e)
	if f, ok := e.(*event.RunFinished); ok {
		fmt.Fprintf(&h.b, "%s %+v\n", f.Outputs, f.Error)
	}
}

func (h *Heard) Text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// encoded returns the forms that a secret may take in a text.
func Encoded(secret string) []string {
	quoted, _ := json.Marshal(secret)
	raw := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret)
	return []string{
		secret, raw, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret),
		html.EscapeString(secret), base64.StdEncoding.EncodeToString([]byte(secret)), strings.Trim(fmt.Sprintf("%q", raw), `"`),
	}
}

// atOnce starts processes, lets them begin once all of them have said that they are ready, and waits
// until they end.
func AtOnce(t *testing.T, processes []*exec.Cmd) {
	t.Helper()
	var begin []io.Closer
	for _, cmd := range processes {
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() }) // an error says that it has ended
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
			t.Fatal(line, err)
		}
		begin = append(begin, in)
	}
	for _, in := range begin {
		in.Close()
	}
	for _, p := range processes {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func FaultsOf(err error) string {
	var list diag.List
	if !errors.As(err, &list) {
		return err.Error()
	}
	var texts []string
	for _, d := range list {
		texts = append(texts, d.Error())
	}
	return strings.Join(texts, "\n")
}
