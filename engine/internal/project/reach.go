package project

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/seed627bd532/runner/engine/internal/pipeline"
)

// Digest reads a file to its end and returns what tells its content from any other.
func Digest(file io.Reader) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

func digestOf(text []byte) string {
	digest, _ := Digest(bytes.NewReader(text)) // a text in memory has no read errors
	return digest
}

// Reach returns the files that a run of pl is made from, path to digest: the
// pipelines, their vendors' files, and all that these refer to.
func (p *Project) Reach(pl *pipeline.Pipeline) map[string]string {
	files := map[string]string{}
	for _, q := range pl.AllPipelines() {
		p.reach(files, q.Path)
		for _, c := range q.Connections {
			p.reach(files, vendorFile(c.Vendor.Name))
		}
	}
	return files
}

// ReachVendor is Reach for a call of one of a vendor's operations.
func (p *Project) ReachVendor(name string) map[string]string {
	files := map[string]string{}
	p.reach(files, vendorFile(name))
	return files
}

func (p *Project) reach(files map[string]string, name string) {
	doc := p.docs[name]
	if _, done := files[name]; done || doc == nil {
		return
	}
	files[name] = doc.digest
	for _, ref := range doc.refs {
		p.reach(files, ref)
	}
}
