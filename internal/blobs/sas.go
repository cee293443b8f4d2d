package blobs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"
)

// Permission is what a signed URL allows, in the letters of Azure.
type Permission string

// The permissions that are given out.
const (
	Read   Permission = "r"
	Upload Permission = "cw" // create and write
)

// The names and the fixed values of a signature's parameters.
const (
	signedVersion  = "2018-11-09"
	signedResource = "b" // one blob
)

// Signer signs the URLs of blobs, and checks them.
type Signer struct {
	Key []byte // secret; 32 bytes
	Now func() time.Time
}

// URL returns base, the account's URL without a final slash, with the path of a
// blob and a signature that allows something until a time. Who has it needs
// nothing else.
func (s *Signer) URL(base string, key Key, allow Permission, until time.Time) string {
	q := url.Values{}
	q.Set("sv", signedVersion)
	q.Set("sr", signedResource)
	q.Set("sp", string(allow))
	q.Set("se", until.UTC().Format(time.RFC3339))
	q.Set("sig", s.sign(key, q))
	return base + "/" + key.Container + "/" + key.Name + "?" + q.Encode()
}

// check reports whether a URL's signature is right and in time, and what it
// allows.
func (s *Signer) check(key Key, q url.Values) (Permission, error) {
	given, err := base64.StdEncoding.DecodeString(q.Get("sig"))
	want, _ := base64.StdEncoding.DecodeString(s.sign(key, q))
	if q.Get("sig") == "" {
		return "", errUnsigned
	}
	if err != nil || !hmac.Equal(given, want) {
		return "", errSignature
	}
	until, err := time.Parse(time.RFC3339, q.Get("se"))
	if err != nil || !s.Now().Before(until) {
		return "", errExpired
	}
	return Permission(q.Get("sp")), nil
}

// sign returns the signature of a blob's name with the signed parameters.
func (s *Signer) sign(key Key, q url.Values) string {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(strings.Join([]string{
		q.Get("sv"), q.Get("sr"), q.Get("sp"), q.Get("se"), key.Container, key.Name,
	}, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// allows reports whether every one of the letters is there.
func (p Permission) allows(letters string) bool {
	return strings.ContainsAny(string(p), letters)
}
