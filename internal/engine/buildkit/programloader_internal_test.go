package buildkit

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

// A program that is not static has no image, and who asks for it reads why and what
// to do, also where there are others.
func TestDynamicProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	linked, static := filepath.Join(dir, "linked"), filepath.Join(dir, "static")
	writeELF(t, linked, "/lib64/ld-linux-x86-64.so.2")
	writeELF(t, static, "")
	p, err := newPrograms(filepath.Join(dir, "programs"), map[string]string{"az": linked, "static": static})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, err = p.rootfs("drydock.internal/az:latest")
	for _, want := range []string{"drydock.internal/az can't run", "/lib64/ld-linux-x86-64.so.2", "CGO_ENABLED=0"} {
		if err == nil || drydock.CodeOf(err) != drydock.Unavailable || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if got := p.unusable(); got == nil || got.Error() != err.Error() {
		t.Errorf("the warning is %v", got)
	}
	if files, err := p.rootfs("drydock.internal/static:latest"); err != nil || files == nil {
		t.Errorf("a static program: %v, %v", files, err)
	}
}

// What is no program is said when the images are made, and not in a run.
func TestNoProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "az")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := newPrograms(filepath.Join(dir, "programs"), map[string]string{"az": script})
	if err == nil || !strings.Contains(err.Error(), "making the built-in image of az: reading how the program is linked") {
		t.Errorf("%v, %v", p, err)
	}
}

// writeELF writes the head of a program that a loader starts; one without is static.
func writeELF(t *testing.T, file, loader string) {
	t.Helper()
	head := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Ehsize: 64, Phentsize: 56,
	}
	var content []any
	if loader == "" {
		content = []any{head}
	} else {
		head.Phoff, head.Phnum = 64, 1
		name := append([]byte(loader), 0)
		content = []any{head, elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 64 + 56, Filesz: uint64(len(name))}, name}
	}
	var text bytes.Buffer
	for _, part := range content {
		if err := binary.Write(&text, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, text.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
}
