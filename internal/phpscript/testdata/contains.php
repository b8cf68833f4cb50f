<?php
$user = $_SERVER["HTTP_AUTH_USER"];
$server = "";
if (strstr($user, "@north.test"))
    $server = $north = "10.5.0.1";
else if (stristr($user, "south.test"))
    $server = "10.5.0.2";
else if (strpos($user, "@east.test") !== false)
    $server = "10.5.0.3";
else if (strpos($user, "west") > 0)
    $server = "10.5.0.4";
if (!$server) { header("Auth-Status: Invalid login or password"); exit; }
$reply = <<<TEXT
  "quoted" {$server} and $user
  TEXT;
error_log($reply);
$open = fsockopen($server, 110);
if (!preg_match("/^\+OK/", fgets($open))) { header("Auth-Status: Invalid login or password"); exit; }
header("Auth-Status: OK"); header("Auth-Server: $server");
if ($_SERVER["HTTP_AUTH_PROTOCOL"]=="pop3") header("Auth-Port: 110");
elseif ($_SERVER["HTTP_AUTH_PROTOCOL"]=="imap") header("Auth-Port: 143");
else header("Auth-Port: 25");
