package dates

import (
	"errors"
	"math/big"
	"time"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// An instant reads a point in time that is written in a way no dateFormat can say, and gives it in ISO form.
type instant func(text string) (iso string, err error)

func (i instant) Parse(text string) (iso string, err error) { return i(text) }

// Instants are the words that stand for a format of dates and times.
var Instants = map[string]instant{
	"unix":    func(text string) (string, error) { return sinceEpoch(text, 1) },
	"unix_ms": func(text string) (string, error) { return sinceEpoch(text, 1000) },
	"rfc2822": rfc2822,
}

// sinceEpoch reads a number since 1970, of which so many make a second.
func sinceEpoch(text string, perSecond int64) (string, error) {
	n, err := value.ParseNumber(text)
	if err != nil {
		return "", err
	}
	exact, ok := Exactly(n)
	if !ok {
		return "", ErrNoSuchYear
	}
	return IsoSinceEpoch(exact.Quo(exact, big.NewRat(perSecond, 1)))
}

// rfc2822 reads a time as mails and HTTP headers have it.
func rfc2822(text string) (string, error) {
	if t, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", text); err == nil {
		return t.Format(time.RFC3339), nil
	}
	t, err := time.Parse("Mon, 2 Jan 2006 15:04:05 GMT", text)
	if err != nil {
		return "", errors.New("expected a time such as Thu, 24 Aug 2023 05:01:45 +0000")
	}
	return t.Format(time.RFC3339), nil
}
