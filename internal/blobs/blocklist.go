package blobs

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
)

// maxList bounds the XML of a block list, in bytes.
const maxList = 16 << 20

func (h *Handler) putBlock(w http.ResponseWriter, r *http.Request, key Key) error {
	if r.Header.Get("x-ms-copy-source") != "" {
		return badHeader("x-ms-copy-source")
	}
	id, err := base64.StdEncoding.DecodeString(r.URL.Query().Get("blockid"))
	if err != nil || len(id) == 0 || len(id) > maxID {
		return errBlockID
	}
	body, err := h.body(w, r, min(h.MaxSize, maxBlock))
	if err != nil {
		return err
	}
	if err := h.Store.Stage(r.Context(), key, string(id), body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (h *Handler) putBlockList(w http.ResponseWriter, r *http.Request, key Key, allowed Permission) error {
	a, err := attributes(r, allowed)
	if err != nil {
		return err
	}
	body, err := h.body(w, r, maxList)
	if err != nil {
		return err
	}
	blocks, err := readBlockList(body)
	if err != nil {
		return err
	}
	p, err := h.Store.Commit(r.Context(), key, blocks, a)
	if err != nil {
		return err
	}
	created(w, p)
	return nil
}

// readBlockList reads the XML that names the blocks of a blob in their order.
func readBlockList(r io.Reader) ([]BlockRef, error) {
	var blocks []BlockRef
	d := xml.NewDecoder(r)
	for depth, seen := 0, false; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && seen && depth == 0 {
			return blocks, nil
		}
		if err != nil {
			var known *apiError
			if errors.As(err, &known) {
				return nil, known
			}
			return nil, errXML
		}
		switch element := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if depth == 0 && !seen && element.Name.Local == "BlockList" {
				depth, seen = 1, true
				continue
			}
			if depth != 1 || len(blocks) == maxBlocks {
				return nil, errXML
			}
			b, err := readBlockRef(d, element)
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, b)
		}
	}
}

func readBlockRef(d *xml.Decoder, element xml.StartElement) (BlockRef, error) {
	from := BlockList(element.Name.Local)
	if from != Committed && from != Uncommitted && from != Latest {
		return BlockRef{}, errXML
	}
	var text string
	if err := d.DecodeElement(&text, &element); err != nil {
		return BlockRef{}, errXML
	}
	id, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(id) == 0 {
		return BlockRef{}, errBlockID
	}
	return BlockRef{ID: string(id), From: from}, nil
}

// xmlBlock is a block in the answer to a request for the list.
type xmlBlock struct {
	Name string
	Size int64
}

func (h *Handler) listBlocks(w http.ResponseWriter, r *http.Request, key Key) error {
	committed, staged, err := h.Store.Blocks(r.Context(), key)
	if err != nil {
		return err
	}
	var answer struct {
		XMLName     xml.Name   `xml:"BlockList"`
		Committed   []xmlBlock `xml:"CommittedBlocks>Block"`
		Uncommitted []xmlBlock `xml:"UncommittedBlocks>Block"`
	}
	kind := r.URL.Query().Get("blocklisttype")
	if kind != "uncommitted" {
		answer.Committed = xmlBlocks(committed)
	}
	if kind == "uncommitted" || kind == "all" {
		answer.Uncommitted = xmlBlocks(staged)
	}
	w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(answer) // the client is gone if it fails
	return nil
}

func xmlBlocks(blocks []Block) []xmlBlock {
	all := make([]xmlBlock, len(blocks))
	for i, b := range blocks {
		all[i] = xmlBlock{base64.StdEncoding.EncodeToString([]byte(b.ID)), b.Size}
	}
	return all
}
