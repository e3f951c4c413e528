package engine_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	benchUser     = "reseller"
	benchPassword = "correct-horse"
	benchToken    = "0b9f6c1e-5d6a-4c0b-9a51-7d8f4f0a2c11"
)

// benchVendor answers as fast as net/http can: it does no more than the job
// needs, so that what is measured is who asks.
type benchVendor struct {
	url string
	// known are the companies that are there at the start, as JSON, by VAT ID.
	known map[string][]byte
	asked atomic.Int64 // requests of all kinds

	mu        sync.Mutex
	companies map[string][]byte
}

// newBenchVendor starts a vendor that knows every other one of that many companies.
func newBenchVendor(tb testing.TB, rows int) *benchVendor {
	v := &benchVendor{known: map[string][]byte{}}
	for i := 0; i < rows; i += 2 {
		c := benchCompany(i)
		v.known[c.VATID] = withAccount(c, i)
	}
	v.reset()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /GetSessionToken", v.logIn)
	mux.HandleFunc("POST /GetCompanyByVatId", v.find)
	mux.HandleFunc("POST /CreateCompany", v.create)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.asked.Add(1)
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// reset forgets what was created.
func (v *benchVendor) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.companies = maps.Clone(v.known)
}

// created returns how many companies were created since the last reset.
func (v *benchVendor) created() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.companies) - len(v.known)
}

func (v *benchVendor) logIn(w http.ResponseWriter, r *http.Request) {
	var in struct{ Username, Password string }
	if !readJSON(w, r, &in) {
		return
	}
	if in.Username != benchUser || in.Password != benchPassword {
		http.Error(w, "invalid user or password", http.StatusBadRequest)
		return
	}
	writeJSON(w, []byte(`"`+benchToken+`"`))
}

func (v *benchVendor) find(w http.ResponseWriter, r *http.Request) {
	var in struct {
		VATID string `json:"vatId"`
	}
	if !active(w, r) || !readJSON(w, r, &in) {
		return
	}
	v.mu.Lock()
	c := v.companies[in.VATID]
	v.mu.Unlock()
	list := make([]byte, 0, len(c)+2)
	list = append(list, '[')
	list = append(list, c...)
	writeJSON(w, append(list, ']'))
}

func (v *benchVendor) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		CompanyAccount companyAccount `json:"companyAccount"`
	}
	if !active(w, r) || !readJSON(w, r, &in) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	text := withAccount(in.CompanyAccount, 10_000+len(v.companies))
	v.companies[in.CompanyAccount.VATID] = text
	writeJSON(w, text)
}

func active(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Token") == benchToken {
		return true
	}
	http.Error(w, "no active session", http.StatusUnauthorized)
	return false
}

func readJSON(w http.ResponseWriter, r *http.Request, in any) bool {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, in)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, text []byte) {
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Write(text)
}

// benchCompany returns the i-th company as a reseller knows it.
func benchCompany(i int) companyAccount {
	return companyAccount{
		ParentAccountID: 100407,
		CompanyName:     fmt.Sprintf("Panadería Núñez & Hijos %d", i),
		VATID:           fmt.Sprintf("PT%09d", 500_000_000+i),
		Domain:          []string{fmt.Sprintf("nunez%d.example", i), "nunez.example"},
		CustomerID:      fmt.Sprintf("C-%05d", i),
		Address:         "Jr. de la Unión 3, of. 2",
		City:            "Lima",
		Country:         "Peru",
		Zip:             "15001",
		Email:           fmt.Sprintf("ventas@nunez%d.example", i),
		Marketplaces:    []int64{32, 67},
	}
}

// withAccount returns the company as the vendor answers it.
func withAccount(c companyAccount, i int) []byte {
	c.AccountID = int64(200_000 + i)
	c.AccountState, c.Currency = "ACTIVE", "USD"
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return text
}
