package walkthrough

import (
	"context"
	"fmt"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// colours are those of the page, as browsers show them.
func colours() map[string]color.RGBA {
	return map[string]color.RGBA{
		"Blue": {B: 0xff, A: 0xff}, "Orange": {R: 0xff, G: 0xa5, A: 0xff}, "Green": {G: 0x80, A: 0xff}, "Red": {R: 0xff, A: 0xff},
	}
}

// wantPage checks that a page has a colour and a heading.
func wantPage(ctx context.Context, address, colour, heading string) error {
	page, err := serve.Page(ctx, address)
	if err != nil {
		return fmt.Errorf("looking at the page: %w", err)
	}
	for _, text := range []string{"background-color: " + colour + `"`, "<h1>" + heading + "</h1>"} {
		if !strings.Contains(page, text) {
			return fmt.Errorf("the page has no %s:\n%s", text, page)
		}
	}
	return nil
}

// browser returns a headless Chromium.
func browser() (string, error) {
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("this machine has no Chromium: make setup installs it")
}

// wantPicture looks at a page in a browser, which draws it into a file, and checks
// that the picture has a colour.
func wantPicture(ctx context.Context, address, colour, file string) error {
	program, err := browser()
	if err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "drydock-browser-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(profile)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, fmt.Errorf("the browser does not end"))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
		"--hide-scrollbars", "--window-size=640,400", "--user-data-dir="+profile, "--screenshot="+file, "http://"+address+"/")
	cmd.Env = append(os.Environ(), "HOME="+profile)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("looking at the page with %s: %w: %s", filepath.Base(program), err, out)
	}
	return wantColour(file, colours()[colour])
}

// wantColour checks the corners of a picture, where no text is.
func wantColour(file string, want color.RGBA) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	b := picture.Bounds()
	for _, x := range []int{b.Min.X + 2, b.Max.X - 3} {
		for _, y := range []int{b.Min.Y + 2, b.Max.Y - 3} {
			if got := color.RGBAModel.Convert(picture.At(x, y)); got != want {
				return fmt.Errorf("%s has the colour %v at %d,%d, not %v", file, got, x, y, want)
			}
		}
	}
	return nil
}
