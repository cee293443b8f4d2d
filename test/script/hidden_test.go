package script_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

// hidden looks for secrets in all that drydockd printed and in every file of the
// data folder, also in compressed ones.
func hidden(ts *testscript.TestScript, neg bool, args []string) {
	w := of(ts)
	var forms [][]byte
	for _, secret := range args {
		forms = append(forms, secretForms(secret)...)
	}
	errs := []error{search("the output", []byte(w.outputs.String()), forms)}
	files := 0
	ts.Check(filepath.WalkDir(w.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		errs = append(errs, search(path, content, forms), search(path+", decompressed", decompressed(content), forms))
		return nil
	}))
	if files == 0 || len(args) == 0 {
		ts.Fatalf("there are %d files in the data folder and %d secrets to look for", files, len(args))
	}
	if found := errors.Join(errs...); (found != nil) != neg {
		ts.Fatalf("found: %v", found)
	}
}

// secretForms returns a secret as it may be written.
func secretForms(secret string) [][]byte {
	quoted := strconv.Quote(secret)
	return [][]byte{
		[]byte(secret), []byte(url.QueryEscape(secret)), []byte(quoted[1 : len(quoted)-1]),
		[]byte(strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "=")),
	}
}

func search(where string, content []byte, forms [][]byte) error {
	for _, form := range forms {
		if at := bytes.Index(content, form); at >= 0 {
			from, to := max(at-60, 0), min(at+len(form)+20, len(content))
			return fmt.Errorf("%s shows a secret: %q", where, content[from:to])
		}
	}
	return nil
}

// decompressed returns the content of a gzip or zstd file, nil for another.
func decompressed(content []byte) []byte {
	var r io.Reader
	if zr, err := gzip.NewReader(bytes.NewReader(content)); err == nil {
		r = zr
	} else if zr, err := zstd.NewReader(bytes.NewReader(content)); err == nil {
		defer zr.Close()
		r = zr
	} else {
		return nil
	}
	all, err := io.ReadAll(r)
	if err != nil {
		return nil
	}
	return all
}
