package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

const tutorial = "../../docs/tutorial.md"

// TestTutorial does what docs/tutorial.md says, block by block, in an empty
// folder: it writes the files and runs the commands, which must print what is
// shown in the block behind them. With -update the page shows what they print.
func TestTutorial(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the commands are those of a Unix shell")
	}
	page, err := os.ReadFile(tutorial)
	if err != nil {
		t.Fatal(err)
	}
	r := reader{dir: t.TempDir(), path: t.TempDir()}
	updated, from := "", 0
	for _, b := range blocks(string(page)) {
		switch b.language() {
		case "sh":
			r.flush(t)
			r.command, r.printed = b, r.run(t, b.text)
		case "text":
			if masked(b.text) != masked(r.printed) {
				if !*update {
					t.Errorf("line %d: the command printed\n%s", r.command.line, r.printed)
				}
				updated += string(page[from:b.start]) + r.printed
				from = b.start + len(b.text)
			}
			r.printed = ""
		case "yaml", "csv", "go":
			r.write(t, b)
		default:
			t.Errorf("line %d: it is not known what to do with %s", b.line, b.info)
		}
	}
	r.flush(t)
	if r.commands < 10 {
		t.Errorf("found %d commands", r.commands)
	}
	if *update && from > 0 {
		if err := os.WriteFile(tutorial, append([]byte(updated), page[from:]...), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// A reader follows the tutorial in a folder.
type reader struct {
	dir      string
	path     string // of commands that are built on the way
	commands int
	command  block  // the last one
	printed  string // by it, unless that was shown already
}

// flush wants that nothing was printed that is not shown.
func (r *reader) flush(t *testing.T) {
	t.Helper()
	if r.printed != "" {
		t.Errorf("line %d: the page does not show what the command printed:\n%s", r.command.line, r.printed)
	}
}

// run runs the lines of a block in the shell, and returns all that they print.
func (r *reader) run(t *testing.T, script string) string {
	t.Helper()
	r.commands++
	if strings.HasPrefix(script, "go run .") {
		r.build(t)
		script = filepath.Join(r.path, "main")
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = r.dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DEPOT_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+filepath.Join(r.path, "state"))
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(out), r.dir, "/home/me/depot")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

// build builds the program of the page as if it lay in this module, so that it
// needs no module of its own, which would have to be fetched.
func (r *reader) build(t *testing.T) {
	t.Helper()
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(repository, "cmd", "depot", "main.go"): filepath.Join(r.dir, "main.go"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(r.path, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-overlay", file, "-o", filepath.Join(r.path, "main"), "./cmd/depot")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// The first line of a block names its file; a CSV file has no such line.
var (
	namedBlock = regexp.MustCompile(`^(?:#|//) ([^\s,]+)(, at its end)?\n`)
	namedFence = regexp.MustCompile(`^csv ([^\s,]+)$`)
)

// write writes or extends the file of a block.
func (r *reader) write(t *testing.T, b block) {
	t.Helper()
	name, text, flags := "", b.text, os.O_TRUNC
	if m := namedFence.FindStringSubmatch(b.info); m != nil {
		name = m[1]
	} else if m := namedBlock.FindStringSubmatch(b.text); m != nil {
		name = m[1]
		if m[2] != "" {
			flags, text = os.O_APPEND, b.text[len(m[0]):]
		}
	}
	if !filepath.IsLocal(name) {
		t.Fatalf("line %d: the block does not name its file", b.line)
	}
	f, err := os.OpenFile(filepath.Join(r.dir, name), os.O_CREATE|os.O_WRONLY|flags, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRunsOfTheReadme runs the commands of README.md that are followed by what they print. With -update the page shows
// what they print. Which row of a parallel foreach meets a fault differs from run to run.
func TestRunsOfTheReadme(t *testing.T) {
	t.Parallel()
	const readme = "../../README.md"
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	r := reader{dir: t.TempDir(), path: t.TempDir()}
	for _, dir := range []string{"specs", "pipelines", "testdata"} {
		if err := os.CopyFS(filepath.Join(r.dir, dir), os.DirFS(filepath.Join("../..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	row := regexp.MustCompile(`each\[[^]]*\]`)
	shown, updated := blocks(string(page)), string(page)
	for i, b := range shown[1:] {
		if command := shown[i]; command.info == "sh" && b.info == "text" {
			printed := r.run(t, command.text)
			if row.ReplaceAllString(masked(printed), "") != row.ReplaceAllString(masked(b.text), "") {
				updated = strings.Replace(updated, b.text, printed, 1)
			}
		}
	}
	switch {
	case r.commands == 0:
		t.Error("the page shows no run")
	case updated == string(page):
	case !*update:
		t.Errorf("the commands print something else: run this test with -update\n%s", updated)
	default:
		if err := os.WriteFile(readme, []byte(updated), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
