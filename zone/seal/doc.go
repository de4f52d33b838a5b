// Package seal checks and makes the .md5 and .asc beside a zonelet.
package seal
