package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/sandbox"
)

func (c *cli) sandboxCommand() *cobra.Command {
	var o sandboxOptions
	cmd := &cobra.Command{
		Use:   "sandbox [VENDOR…]",
		Short: "Run sandbox servers for vendors",
		Long: `Sandbox runs a sandbox server for each VENDOR, or for all vendors, on loopback addresses until
it is interrupted. It prints a connections file for them to standard output.`,
		Example: `  runner sandbox intcomex > connections.yaml
  runner sandbox intcomex --port 8080 --fault lose_answer:create_company:2 > connections.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.sandbox(cmd.Context(), args, o) },
	}
	cmd.Flags().IntVar(&o.port, "port", 0, "port of the first vendor; the others follow (default: free ports)")
	cmd.Flags().StringArrayVar(&o.faults, "fault", nil, "a fault to inject, such as lose_answer:create_company:2; repeatable")
	return cmd
}

func (c *cli) sandbox(ctx context.Context, vendors []string, o sandboxOptions) error {
	root, err := c.projectRoot("")
	if err != nil {
		return err
	}
	if len(vendors) == 0 {
		files, err := fs.Glob(os.DirFS(root), "specs/*.sandbox.yaml")
		if err != nil {
			return err
		}
		for _, file := range files {
			vendors = append(vendors, strings.TrimSuffix(path.Base(file), ".sandbox.yaml"))
		}
		if len(vendors) == 0 {
			return usage("there are no sandboxes: no specs/*.sandbox.yaml below %s", root)
		}
	}
	boxes, err := startSandboxes(os.DirFS(root), vendors, o)
	if err != nil {
		return err
	}
	defer boxes.stop()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.life.begin()
	if err := c.print(boxes.yaml()); err != nil {
		return err
	}
	for _, b := range boxes.list {
		fmt.Fprintf(c.stderr, "%s listens at %s\n", b.vendor, b.url)
	}
	<-ctx.Done()
	return nil
}

// sandboxOptions say how sandboxes are served.
type sandboxOptions struct {
	port   int // of the first; 0 for free ones
	faults []string
}

// sandboxes are running sandbox servers.
type sandboxes struct {
	list []*served
}

type served struct {
	vendor     string
	url        string
	operations []string
	connection sandbox.Connection
	server     *http.Server
}

// startSandboxes starts the sandbox servers of the vendors. Faults are laid over all
// those that have the operation.
func startSandboxes(fsys fs.FS, vendors []string, o sandboxOptions) (*sandboxes, error) {
	faults, err := parseFaults(o.faults)
	if err != nil {
		return nil, err
	}
	s := &sandboxes{}
	for i, vendor := range vendors {
		port := o.port
		if port != 0 {
			port += i
		}
		if err := s.start(fsys, vendor, port, faults); err != nil {
			s.stop()
			return nil, err
		}
	}
	for _, f := range faults {
		if !f.laid {
			s.stop()
			return nil, usage("--fault %s: no sandbox of %s has the operation %s", f, strings.Join(vendors, ", "), f.Operation).
				WithHint("a fault names an operation of the vendor file (runner explain VENDOR lists them), or of the sandbox: " + strings.Join(s.operations(), ", "))
		}
	}
	return s, nil
}

// A fault is to be laid over at least one sandbox.
type fault struct {
	sandbox.Fault
	laid bool
}

func parseFaults(texts []string) ([]*fault, error) {
	faults := make([]*fault, len(texts))
	for i, text := range texts {
		f, err := sandbox.ParseFault(text)
		if err != nil {
			return nil, usage("--%v", err)
		}
		faults[i] = &fault{Fault: f}
	}
	return faults, nil
}

func (s *sandboxes) start(fsys fs.FS, vendor string, port int, faults []*fault) error {
	file := "specs/" + vendor + ".sandbox.yaml"
	def, err := sandbox.Load(fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		return usage("vendor %s has no sandbox: there is no %s", vendor, file)
	}
	if err != nil {
		return err
	}
	box := sandbox.New(def, sandbox.Options{})
	for _, f := range faults {
		if f.Operation != "" && len(def.Answering(f.Operation)) == 0 {
			continue
		}
		if err := box.AddFault(f.Fault); err != nil {
			return usage("--%v", err)
		}
		f.laid = true
	}
	return s.serve(vendor, port, def, box)
}

func (s *sandboxes) operations() []string {
	var names []string
	for _, b := range s.list {
		names = append(names, b.operations...)
	}
	return names
}

func (s *sandboxes) serve(vendor string, port int, def *sandbox.Definition, box http.Handler) error {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return usage("cannot serve the sandbox of %s: %v", vendor, err)
	}
	b := &served{vendor: vendor, url: "http://" + listener.Addr().String(), operations: def.Operations()}
	if b.connection, err = def.Connection(b.url); err != nil {
		listener.Close()
		return err
	}
	b.server = &http.Server{Handler: box, ReadHeaderTimeout: 10 * time.Second}
	s.list = append(s.list, b)
	go b.server.Serve(listener) // ends when stop closes the server
	return nil
}

func (s *sandboxes) stop() {
	for _, b := range s.list {
		b.server.Close()
	}
}

// connections gives every connection that a pipeline names the sandbox of its vendor.
func (s *sandboxes) connections(p *engine.Program) map[string]engine.Connection {
	all := map[string]engine.Connection{}
	add := func(name, vendor string) {
		for _, b := range s.list {
			if b.vendor == vendor {
				all[name] = engine.Connection{Vendor: vendor, BaseURL: b.connection.BaseURL, Config: b.connection.Config,
					Site: "a sandbox"} // which listens elsewhere each time
			}
		}
	}
	for _, b := range s.list {
		add(b.vendor, b.vendor)
	}
	for _, info := range p.Pipelines() {
		for name, vendor := range info.Connections {
			add(name, vendor)
		}
	}
	return all
}

// yaml writes a connections file for the sandboxes.
func (s *sandboxes) yaml() string {
	var b strings.Builder
	b.WriteString("connections:\n")
	for _, box := range s.list {
		fmt.Fprintf(&b, "  %s:\n    vendor: %s\n    base_url: %s\n", box.vendor, box.vendor, box.connection.BaseURL)
		if len(box.connection.Config) > 0 {
			b.WriteString("    config:\n")
		}
		names := make([]string, 0, len(box.connection.Config))
		for name := range box.connection.Config {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Fprintf(&b, "      %s: %s\n", name, yamlScalar(box.connection.Config[name]))
		}
	}
	return b.String()
}

// yamlScalar quotes texts, so that none is read as something else.
func yamlScalar(v any) string {
	if text, ok := v.(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(v)
}

// vendorsOf lists the vendors whose sandboxes a job needs: those that its
// pipelines reach, or the one whose vendor file it loaded.
func vendorsOf(p *engine.Program, file string) []string {
	var vendors []string
	for _, info := range p.Pipelines() {
		for _, vendor := range info.Connections {
			vendors = append(vendors, vendor)
		}
	}
	if path.Dir(file) == "specs" && file != storeFile {
		vendors = append(vendors, strings.TrimSuffix(path.Base(file), ".yaml"))
	}
	slices.Sort(vendors)
	return slices.Compact(vendors)
}
