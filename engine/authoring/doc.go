// Package authoring is for people who write the files: it lays them out, and
// tells what is in them.
//
//	text, err := authoring.Format("specs/acme.yaml", text)
//	about, err := authoring.Explain(os.DirFS("."), "acme.get_customer")
//	about.WriteText(os.Stdout)
//	diagram, err := authoring.Graph(os.DirFS("."), "pipelines/acme/sync.yaml")
//
// Nothing here sends anything, reads the environment, or writes a file.
package authoring
