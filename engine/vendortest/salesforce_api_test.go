package vendortest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// crm answers as Salesforce does: the login at one host tells the other one where the API is, lists
// name the next page by its path, and of many records each ends for itself.
type crm struct {
	mu       sync.Mutex
	accounts []string
	upserted map[string]string
	logins   int
	session  string // that is good now
	requests []string
	// expire ends the session at so many requests from now; limit refuses so many.
	expire, limit int
}

func crmErrors(w http.ResponseWriter, status int, code, message string) {
	tell(w, status, []map[string]any{{"errorCode": code, "message": message}})
}

func (c *crm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r.Method+" "+r.Host+r.URL.EscapedPath())
	if r.Host == "api.example" {
		if r.FormValue("client_secret") != "s3cret-of-app" {
			tell(w, 400, map[string]any{"error": "invalid_client", "error_description": "invalid client credentials"})
			return
		}
		c.logins++
		c.session = fmt.Sprintf("00D!session-%d", c.logins)
		tell(w, 200, map[string]any{"access_token": c.session, "instance_url": "http://na7.example", "token_type": "Bearer", "issued_at": "1700000000000"})
		return
	}
	if c.expire--; c.expire == 0 {
		c.session = ""
	}
	path, known := strings.CutPrefix(r.URL.EscapedPath(), "/services/data/v60.0/")
	switch {
	case r.Host != "na7.example" || !known:
		crmErrors(w, 404, "NOT_FOUND", "The requested resource does not exist")
	case r.Header.Get("Authorization") != "Bearer "+c.session:
		crmErrors(w, 401, "INVALID_SESSION_ID", "Session expired or invalid")
	case c.limit > 0:
		c.limit--
		crmErrors(w, 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
	case strings.HasPrefix(path, "query"):
		c.query(w, path)
	case path == "composite/sobjects":
		c.create(w, r)
	case r.Method == http.MethodPatch:
		c.upsert(w, strings.TrimPrefix(path, "sobjects/Account/Number__c/"))
	}
}

// query gives two records a page; the next page is query/FROM.
func (c *crm) query(w http.ResponseWriter, path string) {
	from := 0
	_, _ = fmt.Sscanf(path, "query/%d", &from)
	records := []map[string]any{}
	to := min(from+2, len(c.accounts))
	for i, name := range c.accounts[from:to] {
		records = append(records, map[string]any{"attributes": map[string]any{"type": "Account"}, "Id": fmt.Sprintf("001%d", from+i), "Name": name,
			"CreatedDate": "2024-01-02T03:04:05.000+0000"})
	}
	page := map[string]any{"totalSize": len(c.accounts), "done": to == len(c.accounts), "records": records}
	if to < len(c.accounts) {
		page["nextRecordsUrl"] = fmt.Sprintf("/services/data/v60.0/query/%d", to)
	}
	tell(w, 200, page)
}

func (c *crm) create(w http.ResponseWriter, r *http.Request) {
	var sent struct{ Records []struct{ Name string } }
	_ = json.NewDecoder(r.Body).Decode(&sent)
	results := []map[string]any{}
	for _, record := range sent.Records {
		if strings.HasPrefix(record.Name, "!") {
			results = append(results, map[string]any{"success": false, "errors": []map[string]any{{"statusCode": "STRING_TOO_ODD", "message": "no such name"}}})
			continue
		}
		c.accounts = append(c.accounts, record.Name)
		results = append(results, map[string]any{"id": fmt.Sprintf("001%d", len(c.accounts)), "success": true, "errors": []any{}})
	}
	tell(w, 200, results)
}

func (c *crm) upsert(w http.ResponseWriter, number string) {
	if _, there := c.upserted[number]; there {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	c.upserted = map[string]string{number: "001P"}
	tell(w, 201, map[string]any{"id": "001P", "success": true, "created": true})
}

func (c *crm) run(t *testing.T, secret string, names ...any) string {
	t.Helper()
	a := apiRun{c, "salesforce", map[string]any{"client_id": "app", "client_secret": secret}, []string{"s3cret-of-app", "00D!session"}}
	_, outputs := a.run(t, "pipelines/accounts.yaml", map[string]any{"names": names})
	return outputs
}

func TestSalesforceAPIGoesWhereTheLoginSays(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := &crm{accounts: []string{"Ann", "Bob", "Cid"}, limit: 1}
		if got, want := c.run(t, "s3cret-of-app", "Bob", "Dan", "!", "Eve"), `{"parent":"001P","rows":["Dan done","! failed","Eve done"],"there":3}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got, want := c.run(t, "s3cret-of-app", "Dan"), `{"parent":null,"rows":[],"there":5}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if !slices.Contains(c.requests, "GET na7.example/services/data/v60.0/query/2") || !slices.Contains(c.requests, "PATCH na7.example/services/data/v60.0/sobjects/Account/Number__c/007%2F1") {
			t.Error(strings.Join(c.requests, "\n"))
		}
	})
}

// The session ends between two pages of a list.
func TestSalesforceAPIRenewsASession(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := &crm{accounts: []string{"Ann", "Bob", "Cid"}, expire: 2}
		if got, want := c.run(t, "s3cret-of-app"), `{"parent":"001P","rows":[],"there":3}`; got != want || c.logins != 2 {
			t.Errorf("after %d logins\ngot  %s\nwant %s", c.logins, got, want)
		}
	})
}

func TestSalesforceAPIRefusesAnApp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := &crm{}
		const want = "salesforce.query: auth: cannot log in to salesforce: api.example/services/oauth2/token: invalid client credentials (invalid_client)"
		if got := c.run(t, "another-secret"); got != want || len(c.requests) != 1 {
			t.Errorf("after %d requests: %s", len(c.requests), got)
		}
	})
}
