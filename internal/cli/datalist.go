package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxPage is how many items are asked for at a time.
const maxPage = 100

// list returns the items below a key of all pages, or the first top of them.
func (d *dataPlane) list(ctx context.Context, r dataRequest, key, order string, top int) ([]any, error) {
	query := url.Values{"n": {fmt.Sprint(maxPage)}}
	if top > 0 && top < maxPage {
		query.Set("n", fmt.Sprint(top))
	}
	if order != "" {
		query.Set("orderby", strings.ReplaceAll(order, "_", ""))
	}
	r.method, r.path = http.MethodGet, r.path+"?"+query.Encode()
	items := []any{}
	for {
		answer, err := d.send(ctx, r)
		if err != nil {
			return nil, err
		}
		var page object
		if err := decode(answer, &page); err != nil {
			return nil, err
		}
		list, _ := page[key].([]any)
		items = append(items, list...)
		if top > 0 && len(items) >= top {
			return items[:top], nil
		}
		if r.path = nextPage(answer); r.path == "" || len(list) == 0 {
			return items, nil
		}
	}
}

// nextPage reads the Link header of RFC 8288: </path?query>; rel="next".
func nextPage(answer *http.Response) string {
	link := answer.Header.Get("Link")
	from, to := strings.IndexByte(link, '<'), strings.IndexByte(link, '>')
	if from < 0 || to < from || !strings.Contains(link[to:], "next") {
		return ""
	}
	u, err := url.Parse(link[from+1 : to])
	if err != nil {
		return ""
	}
	return u.RequestURI()
}
