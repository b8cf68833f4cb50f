<?php
include 'settings.php';
if (!isset($_SERVER["HTTP_AUTH_USER"]) || !isset($_SERVER["HTTP_AUTH_PASS"])) { fail(); }
$username = $_SERVER["HTTP_AUTH_USER"];
$protocol = $_SERVER["HTTP_AUTH_PROTOCOL"];
$backend_port = 110;
if ($protocol == "imap") $backend_port = 143;
if ($protocol == "smtp") $backend_port = 25;
$backend_ip["box1"] = "192.0.2.22";
$backend_ip["box2"] = "192.0.2.33";
$db = mysqli_connect("localhost", "mail", "hunter2", "mail");
$row = mysqli_fetch_assoc(mysqli_query($db, "SELECT host FROM users WHERE name = '$username'"));
$named = $row["host"];
if ($named) $server = isset($backend_ip[$named]) ? $backend_ip[$named] : $named;
else $server = $backend_ip[boxOf($username)];
header("Auth-Status: OK");
header("Auth-Server: $server");
header("Auth-Port: $backend_port");

function boxOf($user) {
    if (in_array(substr($user, 0, 1), array("a", "b", "c"))) return "box1";
    return "box2";
}
function fail() { header("Auth-Status: Invalid login or password"); exit; }
