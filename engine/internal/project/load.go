package project

import (
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
)

// A reading is a file as it was read: doc is nil when it is broken.
type reading struct {
	doc    *document
	faults diag.List
}

func readDocument(fsys fs.FS, name string) reading {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return reading{faults: diag.List{unreadable(name, err)}}
	}
	node, kind, faults := ReadFile(name, text)
	if node == nil {
		return reading{faults: faults}
	}
	return reading{&document{node: node, kind: kind, digest: digestOf(text)}, faults}
}

// load loads files, each once. What takes long and needs no other file is done
// side by side: reading, and the decoding of vendors once all schemas are known. What
// comes of it is put together in the order of the files.
func (p *Project) load(files []string) {
	read := make([]reading, len(files))
	sideBySide(len(files), func(i int) { read[i] = readDocument(p.fsys, files[i]) })
	p.ahead = make(map[string]reading, len(files))
	for i, name := range files {
		p.ahead[name] = read[i]
	}
	for _, name := range files {
		p.document(name)
	}
	p.ahead = nil

	var vendors []vendorFileOf
	for _, name := range files {
		if doc := p.docs[name]; doc != nil && doc.kind == "vendor" {
			if vendor, fresh := p.newVendor(name, doc); fresh {
				vendors = append(vendors, vendorFileOf{vendor, name, doc})
			}
		}
	}
	decoded := make([]*catalog.Vendor, len(vendors))
	faults := make([]diag.List, len(vendors))
	sideBySide(len(vendors), func(i int) {
		decoded[i] = catalog.Decode(vendors[i].doc.node, vendors[i].file, &p.lib, &faults[i])
	})
	for i, v := range vendors {
		p.vendors[v.name] = decoded[i]
		p.faults = append(p.faults, faults[i]...)
	}
	for _, name := range files {
		p.loadFile(name)
	}
}

// A vendorFileOf is a file that a vendor is to be decoded from.
type vendorFileOf struct {
	name, file string
	doc        *document
}

// sideBySide calls do for every number below n, from as many goroutines as can run at once.
func sideBySide(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}
