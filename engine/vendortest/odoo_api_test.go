package vendortest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// rpcServer answers as Odoo does: always with status 200, and with the error inside.
type rpcServer struct {
	mu       sync.Mutex
	partners []map[string]any
	logins   int
	calls    map[string]int
	// lose breaks off after so many creates were done; expire ends the session at so many calls from now.
	lose, expire int
	session      string
}

type rpc struct {
	Params struct {
		Login, Password, Method string
		Args                    []json.RawMessage
		Kwargs                  struct{ Limit, Offset int }
	}
}

func rpcError(w http.ResponseWriter, code int, name, message string) {
	tell(w, 200, map[string]any{"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": code, "message": "Odoo Server Error",
		"data": map[string]any{"name": name, "message": message, "debug": "Traceback …"}}})
}

func rpcResult(w http.ResponseWriter, result any) {
	tell(w, 200, map[string]any{"jsonrpc": "2.0", "id": nil, "result": result})
}

func (e *rpcServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var call rpc
	_ = json.NewDecoder(r.Body).Decode(&call)
	if r.URL.Path == "/web/session/authenticate" {
		e.authenticate(w, call)
		return
	}
	if e.expire--; e.expire == 0 {
		e.session = ""
	}
	if c, err := r.Cookie("session_id"); err != nil || c.Value != e.session {
		rpcError(w, 100, "odoo.http.SessionExpiredException", "Session expired")
		return
	}
	if e.calls == nil {
		e.calls = map[string]int{}
	}
	e.calls[call.Params.Method]++
	switch call.Params.Method {
	case "search_read":
		e.search(w, call)
	case "create":
		e.create(w, call)
	}
}

func (e *rpcServer) authenticate(w http.ResponseWriter, call rpc) {
	if call.Params.Login != "ann" || call.Params.Password != "p&ss-wörd" {
		rpcError(w, 200, "odoo.exceptions.AccessDenied", "Access Denied")
		return
	}
	e.logins++
	e.session = fmt.Sprintf("sid-%d-0815", e.logins)
	w.Header().Add("Set-Cookie", "frontend_lang=en_US; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT")
	w.Header().Add("Set-Cookie", "session_id="+e.session+"; Path=/; HttpOnly")
	rpcResult(w, map[string]any{"uid": 2, "db": "test"})
}

func (e *rpcServer) search(w http.ResponseWriter, call rpc) {
	var domain [][]any
	_ = json.Unmarshal(call.Params.Args[0], &domain)
	found := []map[string]any{}
	for _, p := range e.partners {
		if len(domain) == 0 || domain[0][0] == "vat" && domain[0][2] == p["vat"] {
			found = append(found, p)
		}
	}
	from := min(call.Params.Kwargs.Offset, len(found))
	rpcResult(w, found[from:min(from+call.Params.Kwargs.Limit, len(found))])
}

func (e *rpcServer) create(w http.ResponseWriter, call rpc) {
	var p map[string]any
	_ = json.Unmarshal(call.Params.Args[0], &p)
	if p["name"] == "Forbidden" {
		rpcError(w, 200, "odoo.exceptions.AccessError", "You are not allowed to create 'Contact' (res.partner) records.")
		return
	}
	p["id"] = 100 + len(e.partners)
	e.partners = append(e.partners, p)
	if e.lose > 0 {
		e.lose--
		hangUp()
	}
	rpcResult(w, p["id"])
}

func (e *rpcServer) run(t *testing.T, password, vat, name string) string {
	t.Helper()
	if e.partners == nil {
		for i := range 5 {
			e.partners = append(e.partners, map[string]any{"id": i, "name": fmt.Sprint("P", i), "vat": false})
		}
		e.partners[3]["vat"] = "DE3"
	}
	a := apiRun{e, "odoo", map[string]any{"db": "test", "login": "ann", "password": password}, []string{"p&ss-wörd", "sid-1-0815"}}
	_, outputs := a.run(t, "pipelines/ensure_partner.yaml", map[string]any{"vat": vat, "name": name})
	return outputs
}

func TestOdooAPIEnsuresAPartner(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for _, tt := range []struct {
			server              *rpcServer
			vat, name, password string
			want                string
			logins, created     int
		}{
			{&rpcServer{}, "DE3", "P3", "p&ss-wörd", `{"created":false,"id":3,"looked":5}`, 1, 0},
			{&rpcServer{}, "DE9", "P9", "p&ss-wörd", `{"created":true,"id":105,"looked":5}`, 1, 1},
			{&rpcServer{lose: 1}, "DE9", "P9", "p&ss-wörd", `{"created":true,"id":105,"looked":5}`, 1, 1},
			{&rpcServer{expire: 2}, "DE9", "P9", "p&ss-wörd", `{"created":true,"id":105,"looked":5}`, 2, 1},
			{&rpcServer{}, "DE9", "Forbidden", "p&ss-wörd", "odoo.create_partner: denied: You are not allowed to create 'Contact' (res.partner) records.", 1, 1},
			{&rpcServer{}, "DE9", "P9", "guessed", "odoo.find_partners: auth: cannot log in to odoo: odoo.authenticate: Access Denied", 0, 0},
		} {
			got := tt.server.run(t, tt.password, tt.vat, tt.name)
			if got != tt.want || tt.server.logins != tt.logins || tt.server.calls["create"] != tt.created {
				t.Errorf("%d logins, %d creates\ngot  %s\nwant %s", tt.server.logins, tt.server.calls["create"], got, tt.want)
			}
		}
	})
}
