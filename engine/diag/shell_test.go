package diag

import (
	"os/exec"
	"strings"
	"testing"
)

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		"":            "''",
		"a-1/b.c=@x%": "a-1/b.c=@x%",
		"each[A]":     "'each[A]'",
		"$HOME `id`":  "'$HOME `id`'",
		"o'neil":      `'o'\''neil'`,
		"é":           "'é'",
		"a\nb\tc":     `$'a\nb\tc'`,
		"\x1b'\\\n":   `$'\033\'\\\n'`,
		"\u0085x":     `$'\302\205x'`,
	} {
		if got := ShellWord(s); got != want {
			t.Errorf("%q is %s, want %s", s, got, want)
		}
	}
}

// What a shell makes of it is the text again.
func TestAShellTakesItForOneWord(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to ask")
	}
	for _, s := range []string{"", "plain", "two words", "o'neil", `"x" \ $y`, "`id` $(id) !! * ~", "a\nb\tc", "\x1b'\\\n01", "\u0085x", "日本 #1", "-x"} {
		out, err := exec.Command(bash, "-c", "printf '%s|' "+ShellWord(s)).Output()
		if got := strings.TrimSuffix(string(out), "|"); err != nil || got != s {
			t.Errorf("%q comes out as %q, %v", s, got, err)
		}
	}
}
