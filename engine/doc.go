// Package engine loads vendor files and pipelines, checks them, and runs them.
// It is all that a Go program needs to embed Runner; the command line uses
// nothing else.
//
//	program, err := engine.Load(os.DirFS("."), engine.Options{
//		Connections: map[string]engine.Connection{
//			"intcomex": {Vendor: "intcomex", BaseURL: "https://…", Config: map[string]any{…}},
//		},
//	})
//	if err != nil {
//		return err // a diag.List: every mistake in the files, with its place
//	}
//	result, err := program.Run(ctx, engine.Request{
//		Pipeline: "pipelines/intcomex/ensure_company.yaml",
//		Inputs:   map[string]any{"vat_id": "PT507172230", …},
//	})
//
// Files come from any fs.FS: a folder, an embed.FS, an fstest.MapFS. A Program
// never changes, and any number of runs may go on side by side. Numbers are
// exact: outputs hold int64 and, for decimals, json.Number with the digits that
// the vendor sent.
//
// Resume goes on with a run that was cut off; package history tells of runs. Test runs the cases of
// test files, in which the answers of vendors are written down.
//
// Safety. A run checks inputs and connections before it sends anything. A
// create is sent once: when its answer is lost, it is looked up at the vendor;
// where that does not tell, the run ends as Ambiguous, with an account. Secrets reach vendors, and
// neither events nor errors nor results.
package engine
