package storetest

import (
	"bytes"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
)

var settingTests = map[string]func(*testing.T, Store){
	"kept":  settingKept,
	"added": settingAdded,
}

func settingKept(t *testing.T, s Store) {
	_, err := s.Setting(t.Context(), "ca")
	wantCode(t, "before", err, drydock.NotFound)
	for _, value := range [][]byte{{0, 255, '\n'}, {}, []byte("two")} {
		check(t, s.PutSetting(t.Context(), "ca", value))
		got, err := s.Setting(t.Context(), "ca")
		check(t, err)
		if !bytes.Equal(got, value) {
			t.Errorf("got %q, want %q", got, value)
		}
	}
	_, err = s.Setting(t.Context(), "CA")
	wantCode(t, "another name", err, drydock.NotFound)
}

func settingAdded(t *testing.T, s Store) {
	const servers = 8
	values, errs := make([][]byte, servers), make([]error, servers)
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() {
			values[i], errs[i] = s.AddSetting(t.Context(), "key", []byte{byte(i)})
		})
	}
	wg.Wait()
	stored, err := s.Setting(t.Context(), "key")
	check(t, err)
	for i := range servers {
		check(t, errs[i])
		if !bytes.Equal(values[i], stored) {
			t.Errorf("a server got %v where %v is stored", values[i], stored)
		}
	}
}
