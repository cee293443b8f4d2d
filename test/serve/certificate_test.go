package serve_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// certificate makes a certificate that nobody knows, and its key, in files.
func certificate(t *testing.T) (certFile, keyFile string, text []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"*." + serve.Domain, "*.azurecr." + serve.Domain, "*.blob." + serve.Domain},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, content := range map[string][]byte{certFile: text, keyFile: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, text
}

// With a certificate of the operator's own, runs still push to their registry.
func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	certFile, keyFile, ca := certificate(t)
	s := serve.Start(t, serve.Options{CA: ca, Args: []string{hub(t), "--tls-certificate", certFile, "--tls-key", keyFile}})
	if !strings.Contains(s.Output(), "nothing to trust") {
		t.Error(s.Output())
	}
	a := s.Azure()
	a.CreateRegistry("contoso")
	source := a.Upload("contoso", "-- Dockerfile --\nFROM busybox\nRUN echo built > /x\n")
	id := a.Schedule("contoso", &armcontainerregistry.DockerBuildRequest{
		Type: to.Ptr("DockerBuildRequest"), SourceLocation: &source, DockerFilePath: to.Ptr("Dockerfile"),
		ImageNames: []*string{to.Ptr("app:v1")}, IsPushEnabled: to.Ptr(true),
		Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
	})
	if text, end := a.WaitLog("contoso", id); end != "successful" {
		t.Errorf("%s\n%s", end, text)
	}
	if images := a.Run("contoso", id).OutputImages; len(images) != 1 || *images[0].Repository != "app" {
		t.Errorf("output images %v", images)
	}
}
