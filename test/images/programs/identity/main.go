// Command identity signs in with Microsoft's client as the identity that it finds
// where it runs, and shows what the resource manager answers.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// main takes the URL of the resource manager and a path there.
func main() {
	if err := show(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(1)
	}
}

func show(ctx context.Context, manager, path string) error {
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	if err != nil {
		return err
	}
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{manager + "/.default"}})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, manager+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token.Token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\ntoken %s\n", answer.Status, text, token.Token)
	return nil
}
