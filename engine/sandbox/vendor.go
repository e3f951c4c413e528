package sandbox

import (
	"slices"

	pathpkg "path"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
)

// checkVendor holds the file called name against the vendor that it plays, where fsys has it: that the
// two are called alike, that connection gives the config that the vendor asks for, and that what the one
// sends is what the other looks at. sound says that the file has no error of its own.
func (d *Definition) checkVendor(name string, sound bool) (faults diag.List) {
	called := d.root.Get("sandbox")
	if want := d.vendor + ".sandbox.yaml"; pathpkg.Base(name) != want {
		faults.Add(called.Errorf("wrong-name", "the sandbox of %s must be called %s, this is %s", d.vendor, want, pathpkg.Base(name)))
		return faults
	}
	v := d.vendorFile()
	if v == nil { // its own faults are told elsewhere
		return nil
	}
	at := diag.Place{File: called.File, Pos: called.Pos}
	var config *template.Template
	if c := d.root.Get("connection"); c != nil {
		if d.connection == nil {
			return nil
		}
		at = d.connection.Place()
		for _, m := range d.connection.Members() {
			if m.Name == "config" {
				config = m.Value
			}
		}
	}
	// The secrets of a sandbox are made up, so that short ones do no harm.
	faults = append(faults, slices.DeleteFunc(v.CheckConfig(config, at, "connection.config"), func(f *diag.Diagnostic) bool { return f.Code == "short-secret" })...)
	if sound {
		faults = append(faults, d.agrees(v)...)
	}
	return faults
}
