package cli

import (
	"net"
	"testing"
)

// TestDialer finds the hosts of a server where no resolver knows them.
func TestDialer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	d := &dialer{home: "127.0.0.1", suffixes: []string{".drydock.invalid"}}
	tests := []struct {
		host string
		want bool
	}{
		{"contoso.azurecr.drydock.invalid", true},
		{"management.drydock.localhost", true},
		{"localhost", true},
		{"contoso.other.invalid", false},
		{"drydock.invalid", false},
	}
	for _, test := range tests {
		conn, err := d.dial(t.Context(), "tcp", net.JoinHostPort(test.host, port))
		if (err == nil) != test.want {
			t.Errorf("%s: %v", test.host, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}
