package dates

import (
	"errors"
	"math/big"
	"time"

	"github.com/seed627bd532/runner/engine/internal/value"
)

func Exactly(number value.Value) (*big.Rat, bool) {
	text, err := value.Text(number)
	if err != nil {
		return nil, false
	}
	return new(big.Rat).SetString(text) // numbers have no endless exponents
}

// IsoSinceEpoch gives the time so many seconds after the beginning of 1970, and cuts off what is less
// than a nanosecond.
func IsoSinceEpoch(exact *big.Rat) (string, error) {
	if exact.Cmp(big.NewRat(earliestUnix, 1)) < 0 || exact.Cmp(big.NewRat(latestUnix+1, 1)) >= 0 {
		return "", ErrNoSuchYear
	}
	exact.Mul(exact, big.NewRat(int64(time.Second), 1))
	nanos := new(big.Int).Div(exact.Num(), exact.Denom()) // towards the past
	whole, part := new(big.Int).DivMod(nanos, big.NewInt(int64(time.Second)), new(big.Int))
	return time.Unix(whole.Int64(), part.Int64()).UTC().Format(time.RFC3339Nano), nil
}

var ErrNoSuchYear = errors.New("the year would not be between 0000 and 9999")

// The first second of the year 0000 and the last one of 9999.
const earliestUnix, latestUnix = -62167219200, 253402300799
