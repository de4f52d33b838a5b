package nir

import "reflect"

// txMethods are the names of everything that a Tx can do.
func txMethods() []string {
	var names []string
	t := reflect.TypeFor[*Tx]()
	for i := range t.NumMethod() {
		names = append(names, t.Method(i).Name)
	}
	return names
}
