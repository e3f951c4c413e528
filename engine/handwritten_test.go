package engine_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// handwritten is the program that somebody would write who has this one job and
// no engine: structs for the vendor's objects, one tuned client, a pool of
// workers. It checks what it must and no more: there are no contracts, no
// journal, no retries, no masking, and no account of an answer that was lost.
type handwritten struct {
	client         *http.Client
	base           string
	user, password string
	workers        int
}

func newHandwritten(base, user, password string, workers int) *handwritten {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = workers
	return &handwritten{
		client:   &http.Client{Transport: transport, Timeout: 30 * time.Second},
		base:     base,
		user:     user,
		password: password,
		workers:  workers,
	}
}

// companyAccount is a company as the vendor writes it.
type companyAccount struct {
	ParentAccountID int64  `json:"ParentAccountId"`
	AccountID       int64  `json:"AccountId,omitempty"`
	AccountState    string `json:",omitempty"`
	CompanyName     string
	VATID           string
	Domain          []string
	ContractID      string `json:"ContractId,omitempty"`
	CustomerID      string `json:"CustomerId,omitempty"`
	CrefoNumber     string `json:",omitempty"`
	Currency        string `json:",omitempty"`
	Address         string
	City            string
	Country         string
	Zip             string
	Email           string
	Marketplaces    []int64
}

// outcome is one line of results.
type outcome struct {
	vatID     string
	accountID int64
	created   bool
	err       error
}

// ensureAll reads companies from the file input, makes sure of each, and writes
// the outcomes, in the order of the rows, to the file output.
func (h *handwritten) ensureAll(ctx context.Context, input, output string) error {
	rows, err := readCompanies(input)
	if err != nil {
		return err
	}
	token, err := h.login(ctx)
	if err != nil {
		return err
	}
	outcomes := make([]outcome, len(rows))
	next := make(chan int)
	var pool sync.WaitGroup
	for range h.workers {
		pool.Go(func() {
			for i := range next {
				outcomes[i] = h.ensure(ctx, token, rows[i])
			}
		})
	}
	for i := range rows {
		next <- i
	}
	close(next)
	pool.Wait()
	return writeOutcomes(output, outcomes)
}

// ensure finds the company, or creates it.
func (h *handwritten) ensure(ctx context.Context, token string, c companyAccount) outcome {
	o := outcome{vatID: c.VATID}
	var found []companyAccount
	if o.err = h.post(ctx, "/GetCompanyByVatId", token, map[string]string{"vatId": c.VATID}, &found); o.err != nil {
		return o
	}
	var same []companyAccount
	for _, f := range found {
		if f.VATID == c.VATID {
			same = append(same, f)
		}
	}
	switch len(same) {
	case 1:
		o.accountID = same[0].AccountID
		return o
	case 0:
	default:
		o.err = fmt.Errorf("VAT ID %s belongs to %d companies", c.VATID, len(same))
		return o
	}
	var made companyAccount
	o.err = h.post(ctx, "/CreateCompany", token, map[string]companyAccount{"companyAccount": c}, &made)
	o.accountID, o.created = made.AccountID, o.err == nil
	return o
}

func (h *handwritten) login(ctx context.Context) (token string, err error) {
	err = h.post(ctx, "/GetSessionToken", "", map[string]string{"username": h.user, "password": h.password}, &token)
	return token, err
}

// post calls one of the vendor's services.
func (h *handwritten) post(ctx context.Context, path, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if token != "" {
		req.Header.Set("Token", token)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %.200s", path, resp.Status, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readCompanies(name string) ([]companyAccount, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	column := map[string]int{}
	for i, title := range head {
		column[title] = i
	}
	var rows []companyAccount
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		cell := func(title string) string { return cells[column[title]] }
		c := companyAccount{
			CompanyName: cell("name"),
			VATID:       cell("vat_id"),
			Domain:      strings.Split(cell("domains"), ";"),
			ContractID:  cell("contract_id"),
			CustomerID:  cell("customer_id"),
			Address:     cell("address"),
			City:        cell("city"),
			Country:     cell("country"),
			Zip:         cell("zip"),
			Email:       cell("email"),
		}
		if c.ParentAccountID, err = strconv.ParseInt(cell("parent_account_id"), 10, 64); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", name, len(rows)+1, err)
		}
		for text := range strings.SplitSeq(cell("marketplaces"), ";") {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: row %d: %w", name, len(rows)+1, err)
			}
			c.Marketplaces = append(c.Marketplaces, n)
		}
		rows = append(rows, c)
	}
}

func writeOutcomes(name string, outcomes []outcome) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w := csv.NewWriter(f)
	w.Write([]string{"key", "status", "account_id", "created", "error"})
	for _, o := range outcomes {
		if o.err != nil {
			w.Write([]string{o.vatID, "failed", "", "", o.err.Error()})
			continue
		}
		w.Write([]string{o.vatID, "done", strconv.FormatInt(o.accountID, 10), strconv.FormatBool(o.created), ""})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return f.Close()
}
