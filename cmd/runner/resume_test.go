package main

import (
	"encoding/json"
	"testing"
)

// Keys are what vendors and files make of them.
func TestSettlement(t *testing.T) {
	for text, want := range map[string]string{
		`create=absent`:                       `create absent`,
		`each[x=absent]/create=absent`:        `each[x=absent]/create absent`,
		`create=done:{"id":7}`:                `create {"id":7}`,
		`each[a=done:{}]/create=done:{"x":1}`: `each[a=done:{}]/create {"x":1}`,
		`each[a=done:{}]/create=absent`:       `each[a=done:{}]/create absent`,
		`c=done:{"note":"x=done:{}"}`:         `c {"note":"x=done:{}"}`,
		`c=done:{"note":"=absent"}`:           `c {"note":"=absent"}`,
		`c=done: {} `:                         `c {}`,
		`c=done:{} ]`:                         `refused`,
		`c=done:{}{}`:                         `refused`,
		`c=done:null`:                         `refused`,
		`c=done:[1]`:                          `refused`,
		`c=done:`:                             `refused`,
		`=done:{}`:                            `refused`,
		`=absent`:                             `refused`,
		`create`:                              `refused`,
	} {
		key, s, err := settlement(text)
		got := "refused"
		switch outputs, _ := json.Marshal(s.Outputs); {
		case err != nil:
		case s.Done:
			got = key + " " + string(outputs)
		default:
			got = key + " absent"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
