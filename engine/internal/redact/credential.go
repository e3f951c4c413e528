package redact

import "strings"

// IsCredential reports whether a header or parameter of that name carries
// credentials, by the names in use: Authorization, Cookie, X-Api-Key, X-Auth-Token, client_secret
// and their like. A key is one, unless it is an idempotency key.
func IsCredential(name string) bool {
	name = separators.Replace(strings.ToLower(name))
	for _, word := range []string{
		"authorization", "authorisation", "cookie", "token", "secret", "passw", "credential", "session",
		"apikey", "authkey", "accesskey", "subscriptionkey", "signature",
	} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return strings.HasSuffix(name, "key") && !strings.Contains(name, "idempotency")
}

// separators are what names put between their words.
var separators = strings.NewReplacer("-", "", "_", "")
