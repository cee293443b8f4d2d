package auth

import (
	"bytes"
	"html/template"
	"net/http"
)

// page is what the browser shows while somebody signs in.
type page struct {
	Title   string
	Text    string
	Problem string // what was wrong with what was typed
	Hidden  map[string]string
	Action  string // of the form with the name and the password
	Login   string // that was typed before
	// Code asks for the code of a device, Password for a new password.
	Code, Password, SignIn, Refusable bool
	// Outside is the name of the provider where one can sign in instead.
	Outside string
	// Post has the browser bring Hidden to this URL, by itself.
	Post  string
	Nonce string
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>{{.Title}} – Drydock</title>
<style nonce="{{.Nonce}}">
body { font: 16px/1.5 system-ui, sans-serif; background: #eef1f4; color: #1c2733; margin: 0 }
main { max-width: 24rem; margin: 12vh auto 2rem; background: #fff; padding: 2rem; border-radius: .5rem; box-shadow: 0 1px 8px #0002 }
h1 { font-size: 1.4rem; margin: 0 0 1rem }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600 }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; border: 1px solid #8796a5; border-radius: .25rem }
button { font: inherit; width: 100%; margin-top: 1.25rem; padding: .6rem; border: 0; border-radius: .25rem; background: #0b5c8a; color: #fff; cursor: pointer }
button.other { background: #fff; color: #0b5c8a; border: 1px solid #0b5c8a }
.problem { background: #fdecea; color: #8c1d18; padding: .6rem .8rem; border-radius: .25rem }
.code { letter-spacing: .15em; text-transform: uppercase }
</style>
</head>
<body><main>
<h1>{{.Title}}</h1>
{{with .Problem}}<p class="problem" role="alert">{{.}}</p>{{end}}
{{with .Text}}<p>{{.}}</p>{{end}}
{{if .Code}}<form method="get" action="{{.Action}}">
<label for="user_code">Code</label><input id="user_code" name="user_code" class="code" autocomplete="off" autofocus required maxlength="20">
<button>Next</button>
</form>{{end}}
{{if .SignIn}}<form method="post" action="{{.Action}}">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<label for="login">User name</label><input id="login" name="login" value="{{.Login}}" autocomplete="username" required {{if not .Login}}autofocus{{end}}>
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required {{if .Login}}autofocus{{end}}>
{{if .Password}}<label for="new">New password</label><input id="new" name="new" type="password" autocomplete="new-password" required minlength="8">
<label for="again">New password, again</label><input id="again" name="again" type="password" autocomplete="new-password" required minlength="8">{{end}}
<button name="do" value="sign in">{{if .Password}}Change the password{{else}}Sign in{{end}}</button>
{{if .Refusable}}<button class="other" name="do" value="refuse" formnovalidate>I did not ask for this</button>{{end}}
</form>{{end}}
{{if .Outside}}<form method="post" action="/oidc/start">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button class="other">Sign in with {{.Outside}}</button>
</form>{{end}}
{{if .Post}}<form method="post" action="{{.Post}}" id="back">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button>Continue</button>
</form><script nonce="{{.Nonce}}">document.getElementById("back").submit()</script>{{end}}
</main></body>
</html>
`))

// show writes a page. It is never framed, nor kept, and runs nothing from elsewhere.
func (a *Authority) show(w http.ResponseWriter, status int, p page) {
	p.Nonce = NewSecret()
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, p); err != nil {
		http.Error(w, "the page can't be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+p.Nonce+"'; script-src 'nonce-"+p.Nonce+"'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	noStore(w)
	w.WriteHeader(status)
	w.Write(text.Bytes()) // a client that is gone needs no answer
}

func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
}

// showProblem writes a page that says why it does not go on.
func (a *Authority) showProblem(w http.ResponseWriter, err error) {
	a.show(w, statusOf(err), page{Title: "Signing in did not work", Problem: problemOf(err)})
}
