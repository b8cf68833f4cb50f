// Package migrate reads what a deployment of auth.php leaves behind: the script, and its log.
package migrate
