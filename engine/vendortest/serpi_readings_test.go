package vendortest_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

const (
	exportSupplied = "pipelines/serpi/export_supplier_articles.yaml"
	upsertSupplied = "pipelines/serpi/upsert_supplier_articles.yaml"
)

var (
	padded   = regexp.MustCompile(`"(codigo|descripcion)Proveedor":"((?:[^"\\]|\\.)*)"`)
	numbered = regexp.MustCompile(`"(multiploCompra|pedidoMinimo)":([0-9.]+)`)
)

// erpReadings are the ways to answer that mean no trouble.
func erpReadings() map[string]func(*erp) {
	befall := func(all ...testserver.Trouble) func(*erp) { return func(v *erp) { v.troubles = all } }
	wired := func(wire func(testserver.Reply) testserver.Reply) func(*erp) { return func(v *erp) { v.wire = wire } }
	nothing := func(r testserver.Reply) func(*erp) {
		return func(v *erp) { v.beyond = func(int) *testserver.Reply { return &r } }
	}
	later := testserver.Plain(429, "despacio").With("Retry-After", "9")
	busy := testserver.AsJSON(200, `{"success":false,"code":503,"message":"mantenimiento"}`)
	page := testserver.HtmlPage(200)
	readings := map[string]func(*erp){
		"natural":                             func(*erp) {},
		"pages of 7 whatever is asked for":    func(v *erp) { v.biggest = 7 },
		"the end is HTTP 204":                 nothing(testserver.Reply{Status: 204}),
		"the end is an empty list":            nothing(testserver.AsJSON(200, `{"success":true,"code":200,"errors":null,"message":"0 registro(s) encontrados","result":[]}`)),
		"the end has an empty list under 204": nothing(testserver.AsJSON(200, `{"success":true,"code":204,"message":"No se encontraron registros","result":[]}`)),
		"the end has null under 204":          nothing(testserver.AsJSON(200, `{"success":true,"code":"204","errors":null,"message":"No se encontraron registros","result":null}`)),
		"the end as the guide prints it":      nothing(testserver.AsJSON(200, "{\n\"success\": true,\n\"code\": 204,\n\"message\": \"No se encontraron registros\",\n}")),
		"the end is a refusal":                nothing(testserver.AsJSON(200, `{"success":false,"code":204,"message":"No se encontraron registros"}`)),
		"the end is HTTP 404":                 nothing(testserver.AsJSON(404, `{"success":false,"code":404,"errors":[],"message":"No se encontraron registros"}`)),
		"texts are padded": wired(func(r testserver.Reply) testserver.Reply {
			r.Body = padded.ReplaceAllString(r.Body, `"${1}Proveedor":"${2}        "`)
			return r
		}),
		"numbers are texts": wired(func(r testserver.Reply) testserver.Reply {
			r.Body = numbered.ReplaceAllString(r.Body, `"$1":"$2"`)
			return r
		}),
		"success is a text": wired(func(r testserver.Reply) testserver.Reply {
			r.Body = strings.Replace(r.Body, `"success":true`, `"success":"true"`, 1)
			return r
		}),
		"tax numbers are padded": wired(func(r testserver.Reply) testserver.Reply {
			r.Body = strings.ReplaceAll(r.Body, `"nitProveedor":"900123"`, `"nitProveedor":"900123    "`)
			return r
		}),
		"codes are texts": func(v *erp) { v.code = func(code int) any { return fmt.Sprint(code) } },
		"201 comes under HTTP 200": wired(func(r testserver.Reply) testserver.Reply {
			r.Status = min(r.Status, 200)
			return r
		}),
		"unknown members": wired(func(r testserver.Reply) testserver.Reply {
			r.Body = strings.ReplaceAll(r.Body, `"idArticulo":`, `"nuevo":{"id":null},"idArticulo":`)
			r.Body = strings.Replace(r.Body, `{`, `{"version":"2.0",`, 1)
			return r
		}),
		"no errors member": wired(func(r testserver.Reply) testserver.Reply {
			r.Body = strings.Replace(strings.Replace(r.Body, `"errors":null,`, "", 1), `"errors":[],`, "", 1)
			return r
		}),
		"gzip":                     wired(testserver.Gzipped),
		"byte order mark":          wired(testserver.Marked),
		"JSON as text/plain":       wired(testserver.Typed("text/plain")),
		"no content type":          wired(testserver.Untyped),
		"a second is refused":      func(v *erp) { v.unique = true },
		"too many requests":        befall(testserver.Trouble{Service: "GET", Calls: 2, Answer: &later}, testserver.Trouble{Service: "POST", Calls: 1, Answer: &later}, testserver.Trouble{Service: "PUT", Calls: 2, Answer: &later}),
		"a list that breaks off":   befall(testserver.Trouble{Service: "GET", Spared: 1, Calls: 2, Worked: true, Cut: true}),
		"a list that is lost":      befall(testserver.Trouble{Service: "GET", Spared: 2, Calls: 1, HangUp: true}),
		"a list that times out":    befall(testserver.Trouble{Service: "GET", Calls: 1, Wait: 100 * time.Second}),
		"maintenance in the body":  befall(testserver.Trouble{Service: "GET", Calls: 2, Answer: &busy}),
		"a web page at first":      befall(testserver.Trouble{Service: "GET", Calls: 2, Answer: &page}, testserver.Trouble{Service: "PUT", Calls: 2, Answer: &page}),
		"an update that is lost":   befall(testserver.Trouble{Service: "PUT", Calls: 2, Worked: true, HangUp: true}),
		"an update that times out": befall(testserver.Trouble{Service: "PUT", Calls: 1, Worked: true, Wait: 100 * time.Second}),
		"an update that fails":     befall(testserver.Trouble{Service: "PUT", Calls: 2, Worked: true, Answer: &testserver.Reply{Status: 500}}),
	}
	return readings
}

// Whichever way the vendor reads its own guide, a file comes out right: 230
// records are there, 10 of the 240 rows are new, and 8 differ.
func TestSerpiWhicheverReading(t *testing.T) {
	t.Parallel()
	for name, set := range erpReadings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newERP(serpiStock(1, 230)...)
				set(v)
				rows := serpiRows(1, 240)
				for i := range 4 {
					rows[i] = wanted(i+1, "supplier_code", "NEW")
				}
				rows[4] = wanted(5, "supplier_description", "Artículo \"ñ\" ")
				rows[5] = wanted(6, "is_default", false)
				rows[6] = wanted(7, "order_multiple", json.Number("2.50"))
				rows[7] = wanted(8, "order_multiple", json.Number("1"), "minimum_order", json.Number("0.00001"))
				rows[8] = wanted(9, "order_multiple", json.Number("1"), "minimum_order", json.Number("1.0")) // the same by value
				rows[239] = wanted(240, "order_multiple", json.Number("3.00"))
				r := v.run(t, upsertSupplied, map[string]any{"articles": rows})
				if r.err != nil || r.result.Status != engine.Succeeded || r.counts() != "10 8 222 0" {
					t.Fatalf("%s %v\n%s", r.counts(), r.err, r.files["results.csv"])
				}
				if len(v.made) != 10 || len(v.records) != 240 {
					t.Errorf("%d of them were made, %d are there", len(v.made), len(v.records))
				}
				for _, part := range []string{
					`{"id":7,"idArticulo":7,"nitProveedor":"900123","codigoProveedor":"C-7","descripcionProveedor":"ARTICULO","proveedorPredeterminado":true,"multiploCompra":2.50,"pedidoMinimo":1.00000}`,
					`{"id":8,"idArticulo":8,"nitProveedor":"900123","codigoProveedor":"C-8","descripcionProveedor":"ARTICULO","proveedorPredeterminado":true,"multiploCompra":1,"pedidoMinimo":0.00001}`,
					`{"idArticulo":240,"nitProveedor":"900123","codigoProveedor":"C-240","descripcionProveedor":"ARTICULO","proveedorPredeterminado":true,"multiploCompra":3.00}`,
				} {
					if !strings.Contains(strings.Join(v.bodies, "\n"), part) {
						t.Errorf("was not sent: %s", part)
					}
				}
				clear(v.asked)
				v.troubles, v.bodies = nil, nil
				again := v.run(t, upsertSupplied, map[string]any{"articles": rows})
				if again.err != nil || again.counts() != "0 0 240 0" || v.asked["POST"]+v.asked["PUT"] > 0 {
					t.Errorf("a second run: %s %v, asked %v", again.counts(), again.err, v.asked)
				}
			})
		})
	}
}

// A list is whole, or there is none.
func TestSerpiListsThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	answer := func(r testserver.Reply) func(*erp) {
		return func(v *erp) { v.wire = func(testserver.Reply) testserver.Reply { return r } }
	}
	edit := func(old, new string) func(*erp) {
		return func(v *erp) {
			v.wire = func(r testserver.Reply) testserver.Reply {
				r.Body = strings.Replace(r.Body, old, new, 1)
				return r
			}
		}
	}
	body := func(code any, more string) func(*erp) {
		return answer(testserver.AsJSON(200, fmt.Sprintf(`{"success":false,"code":%v,"message":"El motivo"%s}`, code, more)))
	}
	for _, tt := range []struct {
		name string
		set  func(*erp)
		gets int
		why  string
	}{
		{"every page is the same", func(v *erp) {
			v.page = func(_ int, all []supplied) []supplied { return all[:100] }
		}, 3, "page-repeated invalid: page 3 of serpi.get_supplier_articles is the same answer as the 2 pages before it"},
		{"the last page for ever", func(v *erp) {
			v.page = func(page int, all []supplied) []supplied { return all[min(page-1, 2)*100:][:50] }
		}, 5, "page-repeated invalid: page 5 of serpi.get_supplier_articles is the same answer as the 2 pages before it"},
		{"a record that comes twice", func(v *erp) {
			v.page = func(page int, all []supplied) []supplied {
				return all[min(page*90, len(all)):min(page*90+100, len(all))]
			}
		}, 0, "failed: the list changed while it was read, for a record came twice"},
		{"a page that always breaks off", func(v *erp) {
			v.troubles = []testserver.Trouble{{Service: "GET", Spared: 1, Worked: true, Cut: true}}
		}, 6, "unreadable unknown: page 2: the answer broke off after "},
		{"a page that is always lost", func(v *erp) { v.troubles = []testserver.Trouble{{Service: "GET", Spared: 1, HangUp: true}} }, 0, "connection-lost unknown: page 2: the connection was lost"},
		{"a web page", answer(testserver.HtmlPage(200)), 5, "unreadable unknown: the answer is not JSON: Sorry"},
		{"a web page, 404", answer(testserver.HtmlPage(404)), 1, "refused not_found: Sorry"},
		{"nothing", answer(testserver.AsJSON(200, "")), 5, "refused unknown: "},
		{"no result under 200", answer(testserver.AsJSON(200, `{"success":true,"code":200,"errors":null,"message":"250 registro(s) encontrados"}`)), 1,
			"contract-broken invalid: the answer of serpi.get_supplier_articles breaks its contract: expected list, found null"},
		{"204 with a result", edit(`"code":200`, `"code":204`), 5, "refused unknown: 100 registro(s) encontrados"},
		{"204 without success", body(204, ""), 5, "refused unknown: El motivo"},
		{"no nitProveedor", edit(`"nitProveedor":"900123",`, ""), 1, `contract-broken invalid: the answer of serpi.get_supplier_articles breaks its contract: [0]: missing member "nitProveedor"`},
		{"a default of 1", edit(`"proveedorPredeterminado":true`, `"proveedorPredeterminado":1`), 1, "contract-broken invalid: the answer of serpi.get_supplier_articles breaks its contract: [0].proveedorPredeterminado: expected boolean, found integer 1"},
		{"a multiple of many", edit(`"multiploCompra":1.00`, `"multiploCompra":"many"`), 1, `contract-broken invalid: the answer of serpi.get_supplier_articles breaks its contract: specs/serpi.yaml:91:36: output articles[0].order_multiple: path multiploCompra: expected decimal, found text "many"`},
		{"400", body(400, `,"errors":["limite","pagina"]`), 1, "refused invalid: El motivo; limite; pagina"},
		{"401", body(401, ""), 1, "not-accepted auth: El motivo"},
		{"401 as text", body(`"401"`, `,"errors":null`), 1, "not-accepted auth: El motivo"},
		{"403", body(403, `,"errors":[]`), 1, "refused denied: El motivo"},
		{"the token is in use", answer(testserver.AsJSON(403, `{"success":false,"code":403,"message":"El token est\u00e1 siendo utilizado"}`)), 5, "refused throttled: El token está siendo utilizado"},
		{"the token is in use, under 200", answer(testserver.AsJSON(200, `{"success":false,"code":403,"message":"Token en uso"}`)), 5, "refused throttled: Token en uso"},
		{"the token is in use, in a text", answer(testserver.Plain(403, "Token in use")), 5, "refused throttled: Token in use"},
		{"the token has no right", answer(testserver.AsJSON(403, `{"success":false,"code":403,"message":"El token no tiene permisos"}`)), 1, "refused denied: El token no tiene permisos"},
		{"404", body(404, ""), 1, "refused not_found: El motivo"},
		{"409", body(409, ""), 1, "refused conflict: El motivo"},
		{"429", body(429, ""), 5, "refused throttled: El motivo"},
		{"500", body(500, ""), 5, "refused unknown: El motivo"},
		{"503", body(503, ""), 5, "refused unknown: El motivo"},
		{"no code", body("null", ""), 5, "refused unknown: El motivo"},
		{"no success", answer(testserver.AsJSON(200, `{"code":401,"message":"El motivo"}`)), 1, "not-accepted auth: El motivo"},
		{"success and a code of failure", answer(testserver.AsJSON(200, `{"success":true,"code":400,"message":"El motivo"}`)), 5, "refused unknown: El motivo"},
		{"success that is another text", answer(testserver.AsJSON(200, `{"success":"si","code":200,"message":"El motivo","result":[]}`)), 5, "refused unknown: El motivo"},
		{"HTTP 400", answer(testserver.AsJSON(400, `{"success":false,"code":400,"message":"El motivo"}`)), 1, "refused invalid: El motivo"},
		{"HTTP 401", answer(testserver.AsJSON(401, `{"Message":"Authorization has been denied for this request."}`)), 1,
			`not-accepted auth: {"Message":"Authorization has been denied for this request."}`},
		{"HTTP 403", answer(testserver.Plain(403, "Forbidden")), 1, "refused denied: Forbidden"},
		{"HTTP 500 with another code", answer(testserver.AsJSON(500, `{"success":false,"code":400,"message":"El motivo"}`)), 5, "refused unknown: El motivo"},
		{"HTTP 503", answer(testserver.AsJSON(503, `{"success":false,"code":503,"message":"El motivo"}`)), 5, "refused unknown: El motivo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newERP(serpiStock(1, 250)...)
				tt.set(v)
				for _, name := range []string{exportSupplied, upsertSupplied} {
					clear(v.asked)
					inputs := map[string]any{}
					if name == upsertSupplied {
						inputs["articles"] = serpiRows(1, 260)
					}
					r := v.run(t, name, inputs)
					if why := r.why(); r.result.Status != engine.Failed || !strings.HasPrefix(why, tt.why) {
						t.Errorf("%s: %s, %s; want %s", name, r.result.Status, why, tt.why)
					}
					if n := v.asked[http.MethodGet]; tt.gets > 0 && n != tt.gets {
						t.Errorf("%s: asked %d times, want %d", name, n, tt.gets)
					}
					if len(r.files) > 0 || v.asked["POST"]+v.asked["PUT"] > 0 {
						t.Errorf("%s: it left %v, and asked %v", name, r.files, v.asked)
					}
				}
			})
		})
	}
}

func TestSerpiExports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		records := append(serpiStock(1, 205),
			supply(300, 7, "0090", "  C,7", "Artículo \"ñ\"", false, "12345678901234567890.10", "0.00001"),
			supply(301, 7, "0091", "007", "", false, "", ""))
		v := newERP(records...)
		all := v.run(t, exportSupplied, nil)
		if all.err != nil || fmt.Sprint(all.result.Outputs["count"]) != "207" || strings.Count(all.files["articles.csv"], "\n") != 208 {
			t.Errorf("%v %v", all.result.Outputs, all.err)
		}
		if want := []string{"limite=100&pagina=1", "limite=100&pagina=2", "limite=100&pagina=3", "limite=100&pagina=4"}; !slices.Equal(v.pages, want) {
			t.Errorf("asked for %v", v.pages)
		}
		v.pages = nil
		one := v.run(t, exportSupplied, map[string]any{"article_id": 7})
		want := `id,article_id,article,supplier_tax_id,supplier_code,supplier_description,is_default,order_multiple,minimum_order
7,7,ARTICULO7,900123,C-7,ARTICULO,true,1.00,1.00000
300,7,ARTICULO7,0090,"  C,7","Artículo ""ñ""",false,12345678901234567890.10,0.00001
301,7,ARTICULO7,0091,007,,false,,
`
		if one.files["articles.csv"] != want || one.err != nil {
			t.Errorf("%v, got\n%s", one.err, one.files["articles.csv"])
		}
		if want := []string{"limite=100&pagina=1&idArticulo=7", "limite=100&pagina=2&idArticulo=7"}; !slices.Equal(v.pages, want) {
			t.Errorf("asked for %v", v.pages)
		}
		none := v.run(t, exportSupplied, map[string]any{"article_id": 999})
		if none.err != nil || fmt.Sprint(none.result.Outputs["count"]) != "0" {
			t.Errorf("%v %v", none.result.Outputs, none.err)
		}
		v.page = func(page int, all []supplied) []supplied { return v.records[min((page-1)*100, 207):min(page*100, 207)] }
		stranger := v.run(t, exportSupplied, map[string]any{"article_id": 7})
		if why := stranger.why(); why != "failed: the vendor was asked for article 7 and answers with others, too" {
			t.Error(why)
		}
	})
}

// What became of each row is known, or the run says that it is not; nothing is sent twice.
func TestSerpiBatchesThatAreNotWhole(t *testing.T) {
	t.Parallel()
	odd := func(s *supplied) string {
		if *s.Article%10 == 3 || *s.Article%10 == 7 {
			return fmt.Sprintf("El artículo %d no existe", *s.Article)
		}
		return ""
	}
	answered := func(r testserver.Reply, worked bool) func(*erp) {
		return func(v *erp) {
			v.troubles = []testserver.Trouble{{Service: "POST", Calls: 1, Worked: worked, Answer: &r}, {Service: "PUT", Worked: worked, Answer: &r}}
		}
	}
	withoutSuccess := func(r testserver.Reply) testserver.Reply {
		if strings.Contains(r.Body, "articulos proveedores") {
			r.Status = 200
			r.Body = strings.NewReplacer(`"success":true`, `"success":false`, `"code":201`, `"code":400`, `"code":200`, `"code":400`).Replace(r.Body)
		}
		return r
	}
	refusal := func(code int) testserver.Reply {
		return testserver.AsJSON(200, fmt.Sprintf(`{"success":false,"code":%d,"errors":["E1"],"message":"El motivo"}`, code))
	}
	for _, tt := range []struct {
		name      string
		set       func(*erp)
		status    engine.Status
		counts    string // of 10 rows to be created and 10 to be updated
		made      int
		posts     int
		why       string // what is in the file, or in the run's failure
		updatedAt int    // how often PUT was asked
	}{
		{"8 of 10", func(v *erp) { v.refuse = odd }, engine.Partial, "8 8 0 4", 8, 1,
			"Se crearon 8 de 10 articulos proveedores; El artículo 13 no existe; El artículo 17 no existe; not found in 3 look-ups", 1},
		{"none of 10", func(v *erp) { v.refuse = func(*supplied) string { return "no" } }, engine.Partial, "0 0 0 20", 0, 1, "Se modificaron 0 de 10 articulos proveedores", 1},
		{"8 of 10 and no reasons", func(v *erp) {
			v.refuse = odd
			v.says = func(done, of int) string { return fmt.Sprintf("%d de %d", done, of) }
		}, engine.Partial, "8 8 0 4", 8, 1, "8 de 10", 1},
		{"8 of 10 without success", func(v *erp) {
			v.refuse, v.wire = odd, withoutSuccess
		}, engine.Partial, "8 8 0 4", 8, 1, "Se crearon 8 de 10 articulos proveedores", 1},
		{"10 of 10 without success", func(v *erp) { v.wire = withoutSuccess }, engine.Succeeded, "10 10 0 0", 10, 1, "", 5},
		{"no count", func(v *erp) { v.says = func(int, int) string { return "Proceso terminado" } }, engine.Succeeded, "10 10 0 0", 10, 1, "", 5},
		{"a count of others", func(v *erp) { v.says = func(int, int) string { return "Se crearon 12 de 12 articulos proveedores" } }, engine.Succeeded, "10 10 0 0", 10, 1, "", 5},
		{"lost answers", func(v *erp) {
			v.troubles = []testserver.Trouble{{Service: "POST", Worked: true, HangUp: true}, {Service: "PUT", Worked: true, HangUp: true}}
		}, engine.Succeeded, "10 10 0 0", 10, 1, "", 5},
		{"lost requests", func(v *erp) {
			v.troubles = []testserver.Trouble{{Service: "POST", HangUp: true}, {Service: "PUT", Calls: 1, HangUp: true}}
		}, engine.Ambiguous, "0 10 0 10", 0, 1, "not found in 3 look-ups with serpi.get_supplier_articles", 2},
		{"time-outs", func(v *erp) {
			v.troubles = []testserver.Trouble{{Service: "POST", Worked: true, Wait: 100 * time.Second}, {Service: "PUT", Calls: 1, Wait: 100 * time.Second}}
		}, engine.Succeeded, "10 10 0 0", 10, 1, "", 2},
		{"lost, and no look goes well", func(v *erp) {
			v.troubles = []testserver.Trouble{{Service: "POST", Worked: true, HangUp: true}, {Service: "GET", Spared: 2, Answer: &testserver.Reply{Status: 500}}}
		}, engine.Ambiguous, "0 10 0 10", 10, 1, "the look-up with serpi.get_supplier_articles failed", 1},
		{"500 although it was done", answered(testserver.Plain(500, "Internal Server Error"), true), engine.Succeeded, "10 10 0 0", 10, 1, "", 5},
		{"503 with Retry-After although it was done", answered(testserver.Plain(503, "later").With("Retry-After", "1"), true), engine.Partial, "10 0 0 10", 10, 1, "throttled: later", 5},
		{"a web page although it was done", answered(testserver.HtmlPage(200), true), engine.Succeeded, "10 10 0 0", 10, 1, "", 5},
		{"HTTP 204 although it was done", answered(testserver.Reply{Status: 204}, true), engine.Succeeded, "10 10 0 0", 10, 1, "", 5},
		{"400", answered(refusal(400), false), engine.Partial, "0 0 0 20", 0, 1, "El motivo; E1", 1},
		{"403", answered(refusal(403), false), engine.Partial, "0 0 0 20", 0, 1, "denied: El motivo; E1", 1},
		{"401", answered(refusal(401), false), engine.Failed, "<nil> <nil> <nil> <nil>", 0, 1, "El motivo; E1", 0},
		{"429", func(v *erp) {
			later := testserver.Plain(429, "despacio").With("Retry-After", "70")
			v.troubles = []testserver.Trouble{{Service: "POST", Calls: 1, Answer: &later}, {Service: "PUT", Calls: 3, Answer: &later}}
		}, engine.Succeeded, "10 10 0 0", 10, 2, "", 4},
		{"429 although it was done", func(v *erp) {
			later := testserver.Plain(429, "despacio").With("Retry-After", "7")
			v.troubles = []testserver.Trouble{{Service: "POST", Worked: true, Answer: &later}}
		}, engine.Succeeded, "10 10 0 0", 10, 1, "", 1},
		{"somebody else made some", func(v *erp) {
			v.unique = true
			before := v.wire
			v.wire = func(r testserver.Reply) testserver.Reply {
				if v.asked["GET"] == 2 {
					v.records = append(v.records, supply(901, 11, "900123", "C-11", "ARTICULO", true, "", ""), supply(902, 12, "900123", "OTHER", "ARTICULO", true, "", ""))
				}
				return before(r)
			}
		}, engine.Partial, "9 10 0 1", 8, 1, "12 900123,failed,create,", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newERP(serpiStock(1, 10)...)
				tt.set(v)
				rows := serpiRows(11, 10)
				for i := range 10 {
					rows = append(rows, wanted(i+1, "supplier_description", "NUEVO"))
				}
				r := v.run(t, upsertSupplied, map[string]any{"articles": rows})
				if r.result.Status != tt.status || r.counts() != tt.counts || len(v.made) != tt.made {
					t.Errorf("%s, %s, %d made; want %s, %s, %d\n%v\n%s", r.result.Status, r.counts(), len(v.made), tt.status, tt.counts, tt.made, r.err, r.files["results.csv"])
				}
				if v.asked["POST"] != tt.posts || v.asked["PUT"] != tt.updatedAt {
					t.Errorf("asked %v, want %d times for POST and %d for PUT", v.asked, tt.posts, tt.updatedAt)
				}
				if told := r.files["results.csv"] + r.why(); !strings.Contains(told, tt.why) {
					t.Errorf("it does not say %q:\n%s", tt.why, told)
				}
			})
		})
	}
}

// Batches have 100 rows; one that fails leaves the others alone.
func TestSerpiSendsBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newERP()
		bad := testserver.AsJSON(400, `{"success":false,"code":400,"message":"El motivo"}`)
		v.troubles = []testserver.Trouble{{Service: "POST", Spared: 1, Calls: 1, Answer: &bad}}
		r := v.run(t, upsertSupplied, map[string]any{"articles": serpiRows(1, 250)})
		if r.err != nil || r.result.Status != engine.Partial || r.counts() != "150 0 0 100" || v.asked["POST"] != 3 {
			t.Errorf("%s %s %v, asked %v", r.result.Status, r.counts(), r.err, v.asked)
		}
		lines := strings.Split(r.files["results.csv"], "\n")
		for i, want := range map[int]string{
			100: "100 900123,done,create,",
			101: "101 900123,failed,create,serpi.create_supplier_articles: invalid: El motivo",
			200: "200 900123,failed,create,serpi.create_supplier_articles: invalid: El motivo",
			201: "201 900123,done,create,",
		} {
			if lines[i] != want {
				t.Errorf("line %d is %s, want %s", i, lines[i], want)
			}
		}
	})
}

// A vendor that answers nothing but the first listing is left alone soon: neither are all rows
// looked for, nor all batches sent.
func TestSerpiLeavesADeadVendorAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newERP()
		v.troubles = []testserver.Trouble{{Service: "POST", Answer: &testserver.Reply{Status: 500}}, {Service: "GET", Spared: 1, Answer: &testserver.Reply{Status: 500}}}
		began := time.Now()
		r := v.run(t, upsertSupplied, map[string]any{"articles": serpiRows(1, 1150)})
		if r.result.Status != engine.Ambiguous || r.counts() != "0 0 0 1150" || v.asked["POST"] != 10 || v.asked["GET"] != 1+10*3*5 {
			t.Errorf("%s %s %v, asked %v", r.result.Status, r.counts(), r.err, v.asked)
		}
		if took := time.Since(began); took > 10*time.Minute {
			t.Errorf("took %v", took)
		}
		lines := strings.Split(r.files["results.csv"], "\n")
		for i, want := range map[int]string{
			1:    "1 900123,ambiguous,create,",
			1000: "1000 900123,ambiguous,create,",
			1001: `1001 900123,skipped,create,"not started, since 10 rows one after another found the vendor down"`,
		} {
			if !strings.HasPrefix(lines[i], want) {
				t.Errorf("line %d is %s, want %s", i, lines[i], want)
			}
		}
	})
}

// Of two runs of one file at once, each row is made by one, which says so; for the other one it is unchanged.
func TestSerpiRunsOfOneFileAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, memory := newERP(), state.NewMemory()
		client, stop := testserver.OverPipes(v)
		defer stop()
		c := engine.Connection{Vendor: "serpi", BaseURL: "http://serpi.example", Config: map[string]any{"secret_key": serpiSecret, "token": serpiToken}}
		rows := serpiRows(1, 250)
		ended := make(chan string)
		var made atomic.Int64 // as the runs say
		for _, some := range [][]any{rows, slices.Concat(rows[120:], rows[:120])} {
			p, err := engine.Load(os.DirFS("../.."), engine.Options{
				Paths:       []string{"specs/serpi.yaml", "pipelines/serpi"},
				Connections: map[string]engine.Connection{"serpi": c},
				Client:      client,
				State:       memory,
			})
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				r, err := p.Run(t.Context(), engine.Request{Pipeline: upsertSupplied, Inputs: map[string]any{"articles": some}})
				created, _ := r.Outputs["created"].(int64)
				made.Add(created)
				ended <- fmt.Sprint(r.Status, " ", created+r.Outputs["unchanged"].(int64), " ", r.Outputs["failed"], " ", err)
			}()
		}
		for range 2 {
			if got := <-ended; got != "succeeded 250 0 <nil>" {
				t.Error(got)
			}
		}
		if made.Load() != 250 {
			t.Errorf("the runs say that they created %d", made.Load())
		}
		if len(v.records) != 250 || len(v.made) != 250 || v.overlaps > 0 || len(v.complaints) > 0 {
			t.Errorf("%d records, %d made, %d overlaps, %v", len(v.records), len(v.made), v.overlaps, v.complaints)
		}
	})
}

// A list that is late does not make a run create what another one has created a moment before.
func TestSerpiListsThatAreLate(t *testing.T) {
	t.Parallel()
	for wait, posts := range map[time.Duration]int{10 * time.Second: 1, 20 * time.Second: 2} {
		synctest.Test(t, func(t *testing.T) {
			v, memory := newERP(), state.NewMemory()
			v.page = func(int, []supplied) []supplied { return nil }
			client, stop := testserver.OverPipes(v)
			defer stop()
			p, err := engine.Load(os.DirFS("../.."), engine.Options{
				Paths: []string{"specs/serpi.yaml", "pipelines/serpi"},
				Connections: map[string]engine.Connection{
					"serpi": {Vendor: "serpi", BaseURL: "http://serpi.example", Config: map[string]any{"secret_key": serpiSecret, "token": serpiToken}},
				},
				Client: client,
				State:  memory,
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				r, err := p.Run(t.Context(), engine.Request{Pipeline: upsertSupplied, Inputs: map[string]any{"articles": serpiRows(1, 5)}})
				if err != nil || r.Status != engine.Succeeded {
					t.Error(r, err)
				}
				time.Sleep(wait)
			}
			if v.asked["POST"] != posts {
				t.Errorf("after %v: asked %v, want %d times for POST", wait, v.asked, posts)
			}
		})
	}
}

// unreachable lets no create get to the vendor.
type unreachable struct{ http.RoundTripper }

func (u unreachable) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return u.RoundTripper.RoundTrip(r)
}

// After ten batches that could not be sent, the rest is left; each row says so.
func TestSerpiSkipsWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newERP()
		client, stop := testserver.OverPipes(v)
		defer stop()
		client.Transport = unreachable{client.Transport}
		c := engine.Connection{Vendor: "serpi", BaseURL: "http://serpi.example", Config: map[string]any{"secret_key": serpiSecret, "token": serpiToken}}
		r := runSerpi(t, c, client, upsertSupplied, map[string]any{"articles": serpiRows(1, 1150)})
		if r.err != nil || r.result.Status != engine.Partial || r.counts() != "0 0 0 1150" {
			t.Errorf("%s %s %v", r.result.Status, r.counts(), r.err)
		}
		lines := strings.Split(r.files["results.csv"], "\n")
		for i, want := range map[int]string{
			1000: "1000 900123,failed,create,serpi.create_supplier_articles: busy: ",
			1001: `1001 900123,skipped,create,"not started, since 10 rows one after another found the vendor down"`,
			1150: `1150 900123,skipped,create,"not started, since 10 rows one after another found the vendor down"`,
		} {
			if !strings.HasPrefix(lines[i], want) {
				t.Errorf("line %d is %s, want %s", i, lines[i], want)
			}
		}
	})
}
