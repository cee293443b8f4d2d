package auth

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// The pace of RFC 8628.
const (
	deviceLifetime = 15 * time.Minute
	devicePace     = 5 * time.Second
)

// device is a sign-in that a person completes in a browser.
type device struct {
	session
	clientName string
	userCode   string
	from       string // address of the device
	began      time.Time
	polled     time.Time
	pace       time.Duration
	refused    bool
}

// deviceAnswer is that of RFC 8628 §3.2.
type deviceAnswer struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	URI        string `json:"verification_uri"`
	URL        string `json:"verification_url"` // as it is called by ADFS, and in older clients
	Complete   string `json:"verification_uri_complete"`
	ExpiresIn  int    `json:"expires_in"`
	Interval   int    `json:"interval"`
	Message    string `json:"message"`
}

// beginDevice answers the device authorization endpoints.
func (a *Authority) beginDevice(w http.ResponseWriter, r *http.Request) {
	if err := a.parseForm(w, r); err != nil {
		a.refuse(w, err)
		return
	}
	answer, err := a.newDevice(r)
	if err != nil {
		a.refuse(w, err)
		return
	}
	noStore(w)
	writeJSON(w, http.StatusOK, answer)
}

func (a *Authority) newDevice(r *http.Request) (*deviceAnswer, error) {
	client, err := a.client(r)
	if err != nil {
		return nil, err
	}
	d := device{clientName: "", userCode: newUserCode(), from: ClientAddress(r), began: a.c.Now(), pace: devicePace}
	d.client, d.scopes = client, strings.Fields(r.PostForm.Get("scope"))
	if d.clientName, err = a.clientName(r.Context(), client); err != nil {
		return nil, err
	}
	if d.resource, err = a.personResource(r.PostForm.Get("resource"), d.scopes); err != nil {
		return nil, err
	}
	secret := NewSecret()
	if err := a.devices.add(secret, d.from, d); err != nil {
		return nil, tooMany(err)
	}
	if err := a.userCodes.add(d.userCode, d.from, secret); err != nil {
		return nil, tooMany(err)
	}
	uri := base(r) + devicePath
	return &deviceAnswer{
		DeviceCode: secret, UserCode: d.userCode, URI: uri, URL: uri, Complete: uri + "?user_code=" + d.userCode,
		ExpiresIn: int(deviceLifetime.Seconds()), Interval: int(devicePace.Seconds()),
		Message: fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to authenticate.", uri, d.userCode),
	}, nil
}

func tooMany(err error) *oauthError {
	return &oauthError{http.StatusTooManyRequests, "temporarily_unavailable", 90033, "A transient error has occurred: " + err.Error() + ". Please try again later."}
}

// redeemDeviceCode answers the grant of RFC 8628 §3.4.
func (a *Authority) redeemDeviceCode(r *http.Request) (*session, error) {
	code := r.PostForm.Get("device_code")
	if code == "" {
		code = r.PostForm.Get("code")
	}
	if code == "" {
		return nil, missing("device_code")
	}
	client, err := a.client(r)
	if err != nil {
		return nil, err
	}
	var s *session
	var refusal error = invalidDevice("expired_token", 70020, "The provided value for the input parameter 'device_code' is not valid: the code has expired, or was used.")
	a.devices.change(code, func(d *device) bool {
		s, refusal = d.poll(client, a.c.Now())
		return s == nil && !d.refused
	})
	if refusal != nil {
		return nil, refusal
	}
	return s, nil
}

func invalidDevice(code string, number int, message string) *oauthError {
	return &oauthError{http.StatusBadRequest, code, number, message}
}

// poll returns the session once the person has signed in.
func (d *device) poll(client string, now time.Time) (*session, error) {
	switch {
	case client != d.client:
		return nil, invalidGrant(700005, "The provided device code was issued to another client.")
	case d.refused:
		return nil, invalidDevice("access_denied", 65004, "The person declined to sign in.")
	case d.person.ID != "":
		s := d.session
		return &s, nil
	}
	early := !d.polled.IsZero() && now.Sub(d.polled) < d.pace-time.Second
	d.polled = now
	if early {
		d.pace += devicePace
		return nil, invalidDevice("slow_down", 70016, "The client polls too often.")
	}
	return nil, invalidDevice("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
}

// findDevice returns the sign-in that has a user code.
func (a *Authority) findDevice(userCode string) (d device, found bool) {
	a.onDevice(userCode, func(kept *device) {
		d, found = *kept, kept.person.ID == "" && !kept.refused
	})
	return d, found
}

// onDevice lets f look at, and change, the sign-in that has a user code.
func (a *Authority) onDevice(userCode string, f func(*device)) {
	var secret string
	a.userCodes.change(normalUserCode(userCode), func(s *string) bool {
		secret = *s
		return true
	})
	if secret == "" {
		return
	}
	a.devices.change(secret, func(d *device) bool {
		f(d)
		return true
	})
}

// completeDevice lets a person sign in where a user code was shown. It reports
// whether the code was good.
func (a *Authority) completeDevice(userCode string, p drydock.Principal) bool {
	done := false
	a.onDevice(userCode, func(d *device) {
		if d.person.ID == "" && !d.refused {
			d.person, d.signedIn, done = p, a.c.Now(), true
		}
	})
	a.userCodes.take(normalUserCode(userCode))
	return done
}

// refuseDevice ends a sign-in that a person does not want.
func (a *Authority) refuseDevice(userCode string) {
	a.onDevice(userCode, func(d *device) { d.refused = d.person.ID == "" })
	a.userCodes.take(normalUserCode(userCode))
}
