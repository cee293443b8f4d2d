package logs

import "io"

// CRLF returns a writer that ends lines with "\r\n", as the logs of ACR do and
// as its clients need to show a line before the log ends. Lines that end so
// already stay as they are.
func CRLF(w io.Writer) io.Writer { return &crlf{w: w} }

type crlf struct {
	w    io.Writer
	last byte
	buf  []byte // reused
}

// Write implements io.Writer.
func (c *crlf) Write(p []byte) (int, error) {
	c.buf = c.buf[:0]
	for _, b := range p {
		if b == '\n' && c.last != '\r' {
			c.buf = append(c.buf, '\r')
		}
		c.buf = append(c.buf, b)
		c.last = b
	}
	if _, err := c.w.Write(c.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}
