package store

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/auth"
)

func FuzzOpenSealed(f *testing.F) {
	ring, err := newKeyring([][]byte{bytes.Repeat([]byte{1}, keySize), bytes.Repeat([]byte{2}, keySize)}, "")
	if err != nil {
		f.Fatal(err)
	}
	at := cell{table: "t", column: "c", key: []string{"k"}}
	// Sealed once and written down: nonces are random, and each process of the
	// fuzzer has to agree on what opens.
	good := map[string]auth.Secret{}
	for text, value := range map[string]auth.Secret{
		"01174b502aa03ee88ae7a5afe74daa5f68241bcb4edc61dd3e3efcf3ad1c34b367ad99d52fe5fd4d81b9a3ae1f50":   "x",
		"01cf136ae2d1b0143e666d1546f31edba23b5cbc9b7d87b8c263f7874f0d50359a7aee7248ce6997f9a6d77718ddff": "xx",
	} {
		sealed, err := hex.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		good[string(sealed)] = value
		f.Add(sealed)
		f.Add(sealed[:len(sealed)-1])
		f.Add(append([]byte{2}, sealed[1:]...))
		f.Add(append(bytes.Clone(sealed), 0))
	}
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		got, err := ring.open(sealed, at)
		want, ok := good[string(sealed)]
		if ok = ok || len(sealed) == 0; ok != (err == nil) || got != want {
			t.Errorf("%x opens with %v, want %t", sealed, err, ok)
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	const line = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	for _, text := range []string{
		line, line + "\n", "\n" + line + "\r\n\n", line + "\n" + line, strings.Repeat(line+"\n", maxKeys), strings.Repeat(line+"\n", maxKeys+1),
		"", "\n", "hunter2", line + " " + line, line + "\nhunter2", "# " + line, strings.Repeat("A", 1<<13),
	} {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(dir, "key")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := readKeyFile(file)
		if (err == nil) != (1 <= len(keys) && len(keys) <= maxKeys) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		if err != nil {
			return
		}
		// What is read is written and read again the same.
		if err := writeKeyFile(file, keys); err != nil {
			t.Fatal(err)
		}
		again, err := readKeyFile(file)
		if err != nil || !bytes.Equal(bytes.Join(again, nil), bytes.Join(keys, nil)) {
			t.Errorf("read again: %d of %d keys, %v", len(again), len(keys), err)
		}
	})
}

// A file with too much in it is not cut to what fits.
func TestKeyFileTooLong(t *testing.T) {
	const line = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
	for n, ok := range map[int]bool{1: true, maxKeys: true, maxKeys + 1: false, 200: false} {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(strings.Repeat(line, n)), 0o600); err != nil {
			t.Fatal(err)
		}
		if keys, err := readKeyFile(file); (err == nil) != ok || (ok && len(keys) != n) {
			t.Errorf("%d lines: %d keys, %v", n, len(keys), err)
		}
	}
}
