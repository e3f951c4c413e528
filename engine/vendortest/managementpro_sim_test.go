package vendortest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A wservice is the ManagementPro service as one reading of its document has it.
// It owes nothing to the vendor file or to its sandbox, so that a misreading
// there shows. It is strict about requests: whatever the document does not show
// is a complaint.
type wservice struct {
	mpReading

	site       *mpSite // the program that works with it, once it runs
	mu         sync.Mutex
	clients    []*mpClient
	next       int
	asked      map[string]int // requests, by what is asked for: add, edit, get, list
	created    map[string]int // clients made, by tax number and legal name
	lists      []map[string]string
	edits      []map[string]any
	complaints []string
}

// An mpClient is a client as the service keeps it: texts by the names of a
// write, codes for what is an object there, and the address apart.
type mpClient struct {
	texts   map[string]string
	address map[string]string
}

// An mpReading is what the document leaves open, or what servers do without a document.
type mpReading struct {
	form      bool                                                    // how requests must be written
	whole     bool                                                    // all of a request stands in the form's field data
	wrap      func(kind, code, message, data string) testserver.Reply // how anything is answered
	wrongKey  testserver.Reply
	nothing   testserver.Reply // to a list that finds nobody
	nobody    testserver.Reply // to a client that is not there
	lone      bool             // a list of one comes as an object
	listed    bool             // a client that is asked for comes as a list
	swapped   bool             // codes are objects where the sample has texts, and the other way round
	asWritten bool             // answers have the names of a write: contacto_email_1
	bare      bool             // answers lack the object direccion
	keeps     bool             // an edit leaves alone what it does not name
	folds     bool             // searches do not tell cases apart
	cap       int              // the most clients that a list shows, whatever is asked; 0: no such thing
	render    func(shown map[string]any)
	refuse    func(data map[string]any) *testserver.Reply
	troubles  []testserver.Trouble
}

const mpKey = `k&y"ñ/+ 0815<%>`

// newWservice returns the most natural reading, with the clients of the document.
func newWservice(clients ...*mpClient) *wservice {
	v := &wservice{clients: clients, next: len(clients) + 1, asked: map[string]int{}, created: map[string]int{}}
	v.mpReading = mpReading{
		wrap: func(kind, code, message, data string) testserver.Reply {
			if data != "" {
				data = `,"data":` + data
			}
			return testserver.AsJSON(200, fmt.Sprintf(`{"type":%q,"code":%q,"message":%q%s}`, kind, code, message, data))
		},
		wrongKey: testserver.AsJSON(200, `{"type":"error","code":"404","message":"Apikey incorrecta"}`),
		nothing:  testserver.AsJSON(200, `{"type":"info","code":"200","message":"Consulta realizada correctamente","data":{"cliente":[],"registros":0}}`),
		nobody:   testserver.AsJSON(200, `{"type":"error","code":"405","message":"El cliente no existe"}`),
	}
	for i, c := range clients {
		c.texts["clave"] = fmt.Sprintf("%010d", i+1)
	}
	return v
}

// person returns a client with a few things that only it has.
func person(rfc, legal string, more ...string) *mpClient {
	c := &mpClient{
		texts: map[string]string{
			"descripcion": "Sr. " + strings.TrimSpace(legal), "razon_social": legal, "rfc": rfc, "sucursal": "0001", "segmento": "0002",
			"giro_comercial": "0003", "vendedor": "0000000004", "grupo_comercial": "0000000005", "condicion_venta": "CONT",
			"telefono_1": "01", "telefono_2": "02", "telefono_3": "", "contacto_1": "Alex", "contacto_email_1": "alex@example.com",
			"contacto_2": "", "contacto_email_2": "", "estado": "AC",
		},
		address: map[string]string{
			"calle": "46", "numero_exterior": "217", "numero_interior": "", "cruzamiento_1": "42", "cruzamiento_2": "44", "colonia": "Serapio Rendon",
			"codigo_postal": "09728", "municipio": "Mérida", "ciudad": "Mérida", "estado": "Yucatán", "pais": "México",
		},
	}
	for i := 0; i < len(more); i += 2 {
		c.texts[more[i]] = more[i+1]
	}
	return c
}

func (v *wservice) complain(format string, args ...any) {
	v.complaints = append(v.complaints, fmt.Sprintf(format, args...))
}

func (v *wservice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	v.mu.Lock()
	if err != nil {
		v.complain("body: %v", err)
	}
	action, data, answer := v.read(r, body)
	v.asked[action]++
	t := testserver.Befalling(v.troubles, action, v.asked[action])
	if answer == nil && (t == nil || t.Worked) {
		done := v.serve(action, data)
		answer = &done
	}
	v.mu.Unlock()
	if answer == nil { // and t is what happens instead
		answer = &testserver.Reply{}
	}
	answer.Put(w, r, t)
}

// read takes a request apart. answer is set where it goes no further.
func (v *wservice) read(r *http.Request, body []byte) (action string, data map[string]any, answer *testserver.Reply) {
	refuse := func(format string, args ...any) (string, map[string]any, *testserver.Reply) {
		v.complain(format, args...)
		refusal := testserver.AsJSON(200, `{"type":"error","code":"404","message":"La estructura no es valida"}`)
		return "unreadable", nil, &refusal
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || r.URL.RequestURI() != "/wservices/" || err != nil {
		return refuse("%s %s with content type %q", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"))
	}
	members := map[string]any{}
	switch {
	case !v.form && media == "application/json":
		if err := decodeExactly(body, &members); err != nil {
			return refuse("%v in %s", err, body)
		}
	case v.form && media == "application/x-www-form-urlencoded":
		fields, err := url.ParseQuery(string(body))
		if err != nil {
			return refuse("%v in %s", err, body)
		}
		for name, values := range fields {
			if len(values) != 1 {
				return refuse("%s is there %d times", name, len(values))
			}
			members[name] = values[0]
		}
		nested := map[string]any{}
		if err := decodeExactly([]byte(fields.Get("data")), &nested); err != nil {
			return refuse("data: %v in %s", err, fields.Get("data"))
		}
		// Either reading finds what it looks for, and takes no notice of the rest.
		if v.whole {
			members = map[string]any{"apikey": nested["apikey"], "provider": nested["provider"], "action": nested["action"], "data": nested["data"]}
			break
		}
		for _, name := range []string{"apikey", "provider", "action", "data"} {
			delete(nested, name)
		}
		members["data"] = nested
	default:
		return refuse("content type %s", media)
	}
	if len(members) != 4 || members["provider"] != "catalogos" {
		return refuse("members %v", members)
	}
	data, isObject := members["data"].(map[string]any)
	if !isObject {
		return refuse("data is %v", members["data"])
	}
	action, _ = members["action"].(string)
	names := map[string]string{"addCliente": "add", "GetCliente": "get", "GetClienteLista": "list"}
	if names[action] == "" {
		return refuse("action %v", members["action"])
	}
	if data["clave"] != "" && action == "addCliente" {
		names[action] = "edit"
	}
	if members["apikey"] != mpKey {
		return names[action], data, &v.wrongKey
	}
	return names[action], data, nil
}

func decodeExactly(text []byte, into *map[string]any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("something follows")
	}
	return nil
}

func (v *wservice) serve(action string, data map[string]any) testserver.Reply {
	switch action {
	case "get":
		id, isText := data["cliente"].(string)
		if !isText || len(data) != 1 {
			v.complain("GetCliente: data %v", data)
		}
		c := v.client(id)
		if c == nil {
			return v.nobody
		}
		text, _ := json.Marshal(v.show(c, false))
		if v.listed {
			text = []byte("[" + string(text) + "]")
		}
		return v.wrap("info", "200", "Consulta realizada correctamente", `{"cliente":`+string(text)+`}`)
	case "list":
		return v.list(data)
	}
	return v.write(action, data)
}

func (v *wservice) client(id string) *mpClient {
	for _, c := range v.clients {
		if c.texts["clave"] == id {
			return c
		}
	}
	return nil
}

func (v *wservice) list(data map[string]any) testserver.Reply {
	filter := map[string]string{}
	for _, name := range []string{"busqueda", "estado", "clave", "sucursal", "grupo_comercial", "vendedor", "registros"} {
		text, isText := data[name].(string)
		if !isText {
			v.complain("GetClienteLista: %s is %v", name, data[name])
		}
		filter[name] = text
	}
	limit, err := strconv.Atoi(filter["registros"])
	if len(data) != 7 || err != nil {
		v.complain("GetClienteLista: data %v", data)
	}
	v.lists = append(v.lists, filter)
	if v.cap > 0 {
		limit = min(limit, v.cap)
	}
	fold := func(s string) string { return s }
	if v.folds {
		fold = strings.ToLower
	}
	shown := []map[string]any{}
	for _, c := range v.clients {
		found := false
		for _, name := range []string{"clave", "descripcion", "razon_social", "rfc"} {
			found = found || strings.Contains(fold(c.texts[name]), fold(filter["busqueda"]))
		}
		for _, name := range []string{"estado", "clave", "sucursal", "grupo_comercial", "vendedor"} {
			found = found && (filter[name] == "" || slices.Contains(strings.Split(filter[name], ","), c.texts[name]))
		}
		if found && len(shown) < limit {
			shown = append(shown, v.show(c, true))
		}
	}
	if len(shown) == 0 {
		return v.nothing
	}
	text, _ := json.Marshal(shown)
	if v.lone && len(shown) == 1 {
		text, _ = json.Marshal(shown[0])
	}
	return v.wrap("info", "200", "Consulta realizada correctamente", fmt.Sprintf(`{"cliente":%s,"registros":%d}`, text, len(shown)))
}

// show is a client as a sample has it: that of the list, or that of GetCliente.
func (v *wservice) show(c *mpClient, inList bool) map[string]any {
	m := map[string]any{"direccion_1": c.address["calle"] + " " + c.address["numero_exterior"], "direccion_2": c.address["colonia"], "direccion_3": c.address["codigo_postal"]}
	if !v.bare {
		m["direccion"] = c.address
	}
	for _, name := range []string{"clave", "descripcion", "razon_social", "rfc", "telefono_1", "telefono_2", "telefono_3", "contacto_1", "contacto_2"} {
		m[name] = c.texts[name]
	}
	for _, n := range []string{"1", "2"} {
		if v.asWritten {
			m["contacto_email_"+n] = c.texts["contacto_email_"+n]
		} else {
			m["email_"+n] = c.texts["contacto_email_"+n]
		}
	}
	codes := []string{"condicion_venta", "sucursal", "segmento", "giro_comercial"}
	status := "estatus"
	if inList {
		codes, status = []string{"vendedor", "sucursal", "grupo_comercial"}, "estado"
	}
	m[status] = c.texts["estado"]
	for _, name := range codes {
		m[name] = c.texts[name]
		if inList != v.swapped {
			m[name] = map[string]any{"clave": c.texts[name], "descripcion": "uno de ellos"}
		}
	}
	if v.render != nil {
		v.render(m)
	}
	return m
}

var (
	mpTexts   = []string{"descripcion", "razon_social", "rfc", "telefono_1", "telefono_2", "telefono_3", "contacto_1", "contacto_email_1", "contacto_2", "contacto_email_2"}
	mpCodes   = []string{"sucursal", "segmento", "giro_comercial", "vendedor", "grupo_comercial", "condicion_venta"}
	mpAddress = []string{"calle", "colonia", "codigo_postal", "ciudad", "estado", "pais"}
)

func (v *wservice) write(action string, data map[string]any) testserver.Reply {
	if v.refuse != nil {
		if refusal := v.refuse(data); refusal != nil {
			return *refusal
		}
	}
	c := &mpClient{texts: map[string]string{}, address: map[string]string{}}
	address, _ := data["direccion"].(map[string]any)
	for _, name := range mpAddress {
		if _, isText := address[name].(string); !isText {
			v.complain("addCliente: direccion %v", address)
		}
	}
	for name, value := range address {
		text, isText := value.(string)
		known := slices.Contains(mpAddress, name) || action == "edit" && person("", "").address[name] != "" || name == "numero_interior"
		if !isText || !known {
			v.complain("addCliente: direccion.%s %v", name, value)
		}
		c.address[name] = text
	}
	for name, value := range data {
		text, isText := value.(string)
		code, isObject := value.(map[string]any)
		switch {
		case name == "clave" && isText, name == "direccion":
		case slices.Contains(mpTexts, name) && isText:
			c.texts[name] = text
		case slices.Contains(mpCodes, name) && isObject && len(code) == 1:
			if c.texts[name], isText = code["clave"].(string); !isText {
				v.complain("addCliente: %s %v", name, value)
			}
		default:
			v.complain("addCliente: %s %v", name, value)
		}
	}
	for _, name := range []string{"descripcion", "razon_social", "rfc"} {
		if c.texts[name] == "" || c.texts[name] != strings.TrimSpace(c.texts[name]) {
			v.complain("addCliente: %s %q", name, c.texts[name])
		}
	}
	said := "Cliente agregado: "
	if action == "edit" {
		id, _ := data["clave"].(string)
		old := v.client(id)
		if old == nil {
			return v.nobody
		}
		said = "Cliente actualizado: "
		v.edits = append(v.edits, data)
		if !v.keeps {
			status := old.texts["estado"]
			old.texts, old.address = map[string]string{"clave": id, "estado": status}, map[string]string{}
		}
		for name, text := range c.texts {
			old.texts[name] = text
		}
		for name, text := range c.address {
			old.address[name] = text
		}
		c = old
	} else {
		c.texts["clave"], c.texts["estado"] = fmt.Sprintf("%010d", v.next), "AC"
		c.texts["razon_social"] += " "
		v.next++
		v.clients = append(v.clients, c)
		v.created[c.texts["rfc"]+" "+c.texts["razon_social"]]++
	}
	return v.wrap("info", "200", said+c.texts["clave"], `{"cliente":{"clave":"`+c.texts["clave"]+`"}}`)
}
