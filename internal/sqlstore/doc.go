// Package sqlstore keeps what the server must not lose in an SQLite database:
// it implements the store ports of the root package. All SQL of the program is
// here. Statements keep to what PostgreSQL understands too.
package sqlstore
