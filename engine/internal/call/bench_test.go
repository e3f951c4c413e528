package call

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/transport"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const company = `
vendor: acme
version: 1
config:
  key: {type: string, secret: true}
auth:
  inject:
    headers:
      Token: ${{ config.key }}
envelope:
  message: Message
  outcomes:
    - if: status == 401
      is: auth
operations:
  create:
    effect: create
    inputs:
      name: {type: string}
      vat_id: {type: string}
      domains: {type: array, items: {type: string}}
      contract_id: {type: string, optional: true}
    request:
      method: POST
      path: /CreateCompany
      body:
        companyAccount:
          CompanyName: ${{ inputs.name }}
          VATID: ${{ inputs.vat_id }}
          Domain: ${{ inputs.domains }}
          ContractId: ${{ inputs.contract_id ?? omit }}
          Country: PT
    response:
      schema:
        type: object
        required: [AccountId, CompanyName, VATID]
        properties:
          AccountId: {type: integer}
          CompanyName: {type: string}
          VATID: {type: string}
          Domain: {type: array, items: {type: string}}
      outputs:
        account_id: AccountId
`

const created = `{"AccountId":221863,"CompanyName":"Acme Lda","VATID":"PT507172230","Domain":["acme.example","acme.pt"],"City":"Lisboa","Country":"PT"}`

func createCompany(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, created)
}

// BenchmarkDo is one whole call by the engine; BenchmarkHandWritten is the same
// call by a program written for it.
func BenchmarkDo(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(createCompany))
	defer s.Close()
	e := connect(b, vendorOf(b, company), s.URL, value.ObjectOf("key", "s3cret-key"), Options{})
	r := request(e, "create", "name", "Acme Lda", "vat_id", "PT507172230", "domains", value.List{"acme.example", "acme.pt"})
	b.ReportAllocs()
	for b.Loop() {
		res, err := e.Do(context.Background(), r, nil)
		if err != nil || res.Outcome != flow.OK {
			b.Fatal(summary(res), err)
		}
	}
}

func BenchmarkHandWritten(b *testing.B) {
	type account struct {
		CompanyName string
		VATID       string
		Domain      []string
		ContractId  string `json:",omitempty"`
		Country     string
	}
	type request struct {
		Account account `json:"companyAccount"`
	}
	type response struct {
		AccountId   int64
		CompanyName string
		VATID       string
		Domain      []string
	}
	s := httptest.NewServer(http.HandlerFunc(createCompany))
	defer s.Close()
	client := transport.Default()
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	for b.Loop() {
		in := request{account{CompanyName: "Acme Lda", VATID: "PT507172230", Domain: []string{"acme.example", "acme.pt"}, Country: "PT"}}
		body, err := json.Marshal(in)
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		req, err := http.NewRequestWithContext(ctx, "POST", s.URL+"/CreateCompany", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		req.Header.Set("Token", "s3cret-key")
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		cancel()
		var out response
		if err == nil {
			err = json.Unmarshal(text, &out)
		}
		if err != nil || resp.StatusCode != 200 || out.AccountId != 221863 {
			b.Fatal(err, resp.StatusCode, out)
		}
	}
}
