package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func setFolder(c *Config, v string) error {
	path, err := filepath.Abs(v)
	if v == "" || err != nil {
		return errors.New("it names no folder")
	}
	c.Data = path
	return nil
}

func setDomain(c *Config, v string) error {
	v = strings.ToLower(strings.TrimSuffix(v, "."))
	if !domainForm.MatchString(v) || len(v) > 180 {
		return errors.New("it is not a domain, as drydock.example")
	}
	if _, err := netip.ParseAddr(v); err == nil {
		return errors.New("an address can't be a domain: hosts have to be below it")
	}
	c.Domain = v
	return nil
}

func setListen(c *Config, v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("it is not of the form ADDRESS:PORT, as :443 or 127.0.0.1:8443")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port", port)
	} else if c.Port == 0 {
		c.Port = int(n)
	}
	if _, err := netip.ParseAddr(host); host != "" && host != "localhost" && err != nil {
		return fmt.Errorf("%q is not an address of this machine", host)
	}
	c.Listen = v
	return nil
}

func setPublicURL(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("it is not a URL, as https://drydock.example")
	}
	c.PublicURL = u
	return nil
}

func setFile(set func(*Config, string)) func(*Config, string) error {
	return func(c *Config, v string) error {
		info, err := os.Stat(v)
		switch {
		case err != nil:
			return pathError(err)
		case !info.Mode().IsRegular():
			return errors.New("it is not a file")
		}
		path, err := filepath.Abs(v)
		set(c, path)
		return err
	}
}

// pathError is err without the path, which is named already.
func pathError(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func setLevel(c *Config, v string) error {
	switch v {
	case "debug", "info", "warn", "error":
		c.LogLevel = v
		return nil
	}
	return errors.New("it is none of debug, info, warn, error")
}

func boolean(set func(*Config, bool)) func(*Config, string) error {
	return func(c *Config, v string) error {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return errors.New("it is neither true nor false")
		}
		set(c, b)
		return nil
	}
}

func number(set func(*Config, int), least, most int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return fmt.Errorf("it is not a number from %d to %d", least, most)
		}
		set(c, n)
		return nil
	}
}

func setCPUs(c *Config, v string) error {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n > 0 && n <= 10_000) {
		return errors.New("it is not a number of processors, as 2 or 0.5")
	}
	c.Limits.CPUs = n
	return nil
}

func size(set func(*Config, int64)) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := units.RAMInBytes(v)
		if err != nil || n <= 0 {
			return errors.New("it is not a size, as 512m or 2g")
		}
		set(c, n)
		return nil
	}
}

// duration reads a time, which may be in days too; zero says that it may be 0.
func duration(set func(*Config, time.Duration), zero bool) func(*Config, string) error {
	return func(c *Config, v string) error {
		d, err := time.ParseDuration(v)
		if text, ok := strings.CutSuffix(v, "d"); ok {
			var n int
			n, err = strconv.Atoi(text)
			if n < 0 || n > 36500 {
				err = strconv.ErrRange
			}
			d = time.Duration(n) * 24 * time.Hour
		}
		if err != nil || d < 0 || d == 0 && !zero {
			return errors.New("it is not a time, as 90s, 12h or 30d")
		}
		set(c, d)
		return nil
	}
}

func addNetwork(field func(*Config) *[]netip.Prefix) func(*Config, string) error {
	return func(c *Config, v string) error {
		p, err := netip.ParsePrefix(v)
		if addr, addrErr := netip.ParseAddr(v); addrErr == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%q is not a network, as 10.0.0.0/8", v)
		}
		list := field(c)
		*list = append(*list, p.Masked())
		return nil
	}
}

// addLoopback is addNetwork for parts of 127.0.0.0/8 and ::1.
func addLoopback(field func(*Config) *[]netip.Prefix) func(*Config, string) error {
	return func(c *Config, v string) error {
		if err := addNetwork(field)(c, v); err != nil {
			return err
		}
		list := *field(c)
		p := list[len(list)-1]
		if !p.Addr().IsLoopback() || p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 128 {
			return fmt.Errorf("%q is not a part of 127.0.0.0/8 or ::1; other networks are open already, or never are", v)
		}
		return nil
	}
}

func addStorage(c *Config, v string) error {
	name, value, ok := strings.Cut(v, "=")
	if !ok || name == "" {
		return fmt.Errorf("%q is not of the form NAME=VALUE, as driver=s3", redactStorage(v))
	}
	if _, twice := c.Storage[name]; twice {
		return fmt.Errorf("%s is set twice", name)
	}
	if c.Storage == nil {
		c.Storage = map[string]string{}
	}
	c.Storage[name] = value
	return nil
}

// openStorage are the parameters of storage drivers that are no secrets.
var openStorage = []string{
	"driver", "rootdirectory", "bucket", "region", "regionendpoint", "forcepathstyle", "encrypt", "keyid", "secure", "skipverify",
	"v4auth", "chunksize", "storageclass", "objectacl", "accelerate", "container", "accountname", "realm", "serviceurl",
	"max_retries", "retry_delay", "maxthreads", "credentials.type", "credentials.clientid", "credentials.tenantid",
}

// redactStorage hides the value of a parameter that may be secret.
func redactStorage(v string) string {
	name, _, ok := strings.Cut(v, "=")
	if !ok || slices.Contains(openStorage, name) {
		return v
	}
	return name + "=***"
}

func addFolder(c *Config, v string) error {
	if !filepath.IsAbs(v) {
		return fmt.Errorf("%q is not an absolute path", v)
	}
	c.SourceFiles = append(c.SourceFiles, filepath.Clean(v))
	return nil
}

func setProxy(field func(*Config) **url.URL) func(*Config, string) error {
	return func(c *Config, v string) error {
		if !strings.Contains(v, "://") {
			v = "http://" + v
		}
		u, err := url.Parse(v)
		if err != nil || u.Host == "" {
			return errors.New("it is not a URL, as http://proxy.example:3128")
		}
		*field(c) = u
		return nil
	}
}

// redactURL hides the password in a URL.
func redactURL(v string) string {
	if !strings.Contains(v, "@") {
		return v
	}
	u, err := url.Parse(v)
	if err == nil && u.User == nil && !strings.Contains(v, "://") {
		u, err = url.Parse("//" + v) // the scheme was left out
	}
	if err != nil || u.User == nil {
		return "***"
	}
	if _, ok := u.User.Password(); ok {
		u.User = url.UserPassword(u.User.Username(), "***")
	}
	text, _ := url.PathUnescape(u.String())
	if !strings.Contains(v, "://") {
		text = strings.TrimPrefix(text, "//")
	}
	return text
}
