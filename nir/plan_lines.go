package nir

import (
	"slices"
	"strings"
)

// linesOfText says what becomes of the lines of a whois object: attributes that
// go, and those that come. A new object's own are too many for a plan.
func linesOfText(old, now planFields) string {
	before, _ := old["text"].(string)
	after, _ := now["text"].(string)
	a, b := textLines(before), textLines(after)
	var list []string
	for _, l := range a {
		if !slices.Contains(b, l) {
			list = append(list, "- "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			list = append(list, "+ "+l)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ": " + strings.Join(list, ", ")
}

func textLines(s string) []string {
	var list []string
	for l := range strings.Lines(s) {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			list = append(list, l)
		}
	}
	return list
}
