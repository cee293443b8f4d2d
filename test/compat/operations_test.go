package compat_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
)

// operation is a method of one of the SDK's clients.
type operation struct {
	name   string // as TasksClient.BeginCreate
	method reflect.Value
}

// operations returns the methods of the SDK's clients that send requests.
func operations(t *testing.T, options *arm.ClientOptions, credential azcore.TokenCredential, subscription string) []operation {
	t.Helper()
	factory, err := armcontainerregistry.NewClientFactory(subscription, credential, options)
	if err != nil {
		t.Fatal(err)
	}
	var all []operation
	for value, i := reflect.ValueOf(factory), 0; i < value.NumMethod(); i++ {
		client := value.Method(i).Call(nil)[0]
		for j := range client.NumMethod() {
			name := client.Type().Elem().Name() + "." + client.Type().Method(j).Name
			all = append(all, operation{name, client.Method(j)})
		}
	}
	if len(all) < 70 {
		t.Fatalf("only %d operations found in the SDK", len(all))
	}
	return all
}

// call does the operation with placeholders for arguments, and for a list asks
// for its first page. It returns the operation's error.
func (o operation) call(ctx context.Context) error {
	arguments := make([]reflect.Value, o.method.Type().NumIn())
	for i := range arguments {
		switch in := o.method.Type().In(i); {
		case in == reflect.TypeFor[context.Context]():
			arguments[i] = reflect.ValueOf(ctx)
		case in.Kind() == reflect.String:
			arguments[i] = reflect.ValueOf("something").Convert(in)
		default:
			arguments[i] = reflect.Zero(in)
		}
	}
	results := o.method.Call(arguments)
	if next := results[0].MethodByName("NextPage"); next.IsValid() {
		results = next.Call([]reflect.Value{reflect.ValueOf(ctx)})
	}
	err, _ := results[len(results)-1].Interface().(error)
	return err
}

// drop is a transport that notes the last request and refuses it.
type drop struct{ last *http.Request }

// Do implements policy.Transporter.
func (d *drop) Do(req *http.Request) (*http.Response, error) {
	d.last = req
	return &http.Response{StatusCode: http.StatusNotFound, Request: req, Body: io.NopCloser(strings.NewReader("{}")), Header: http.Header{}}, nil
}

// GetToken implements azcore.TokenCredential.
func (*drop) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "x", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// routeOf returns the route by which the SDK does an operation.
func (o operation) routeOf(t *testing.T, all []route, d *drop) *route {
	t.Helper()
	d.last = nil
	err := o.call(t.Context())
	if d.last == nil {
		t.Fatalf("%s sends nothing: %v", o.name, err)
	}
	return find(all, d.last)
}

// operationsOfTheSDK expects that every operation of the SDK is known, and that
// those that are not served say so.
func operationsOfTheSDK(t *testing.T, s *site) {
	all, d := s.recorder.routes, &drop{}
	options, a := s.options(t), s.server.On(t).Azure()
	options.Transport = d
	dry := operations(t, options, d, a.Subscription)
	live := operations(t, s.options(t), a.Server.Admin(), a.Subscription)
	unserved := 0
	for i, o := range dry {
		rt := o.routeOf(t, all, d)
		switch {
		case rt == nil:
			t.Errorf("%s does %s %s, which docs/api.md does not have", o.name, d.last.Method, d.last.URL.Path)
		case !rt.served:
			unserved++
			expectUnserved(t, live[i])
		}
	}
	if unserved < 20 {
		t.Errorf("only %d operations are not served", unserved)
	}
}

// expectUnserved does an operation, which has to be refused by a sentence.
func expectUnserved(t *testing.T, o operation) {
	t.Helper()
	err := o.call(t.Context())
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) {
		t.Errorf("%s: %v", o.name, err)
		return
	}
	if refused.StatusCode != http.StatusNotImplemented || refused.ErrorCode != "NotImplemented" || !strings.Contains(err.Error(), " not part of this server.") {
		t.Errorf("%s: %v", o.name, err)
	}
}
