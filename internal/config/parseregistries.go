package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

func addImage(c *Config, v string) error {
	name, image, ok := strings.Cut(v, "=")
	if !ok || name == "" || image == "" {
		return fmt.Errorf("%q is not of the form NAME=IMAGE", v)
	}
	if c.Images == nil {
		c.Images = map[string]string{}
	}
	c.Images[name] = image
	return nil
}

func addMirror(c *Config, v string) error {
	host, text, _ := strings.Cut(v, "=")
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err == nil && u.User != nil {
		return errors.New("the URL of a mirror can't hold a user or password: it is asked with the credentials that a run has for its host")
	}
	if err != nil || host == "" || strings.Contains(host, "/") || u.Host == "" || u.RawQuery != "" ||
		(u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("a mirror is not of the form HOST=URL, as docker.io=http://localhost:5000")
	}
	if c.Mirrors == nil {
		c.Mirrors = map[string][]*url.URL{}
	}
	c.Mirrors[host] = append(c.Mirrors[host], u)
	return nil
}

func addCA(c *Config, v string) error {
	host, file := "", v
	if h, f, ok := strings.Cut(v, "="); ok && !strings.Contains(h, "/") {
		host, file = h, f
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, pathError(err))
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	if c.CAs == nil {
		c.CAs = map[string][]byte{}
	}
	c.CAs[host] = append(append(c.CAs[host], text...), '\n')
	return nil
}

func addInsecure(c *Config, v string) error {
	if v == "" || strings.ContainsAny(v, "/ ") {
		return fmt.Errorf("%q is not a host", v)
	}
	c.Insecure = append(c.Insecure, v)
	return nil
}

// redactMirror hides the user and password in HOST=URL.
func redactMirror(v string) string {
	host, address, _ := strings.Cut(v, "=")
	i := strings.LastIndex(address, "@")
	if i < 0 {
		return v
	}
	scheme, _, ok := strings.Cut(address[:i], "://")
	if ok {
		scheme += "://"
	} else {
		scheme = ""
	}
	return host + "=" + scheme + "***" + address[i:]
}
