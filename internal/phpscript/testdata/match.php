<?php

declare(strict_types=1);

namespace Example\Auth;

use function strtolower;

function port(string $protocol): int
{
    return match ($protocol) {
        'imap' => 143,
        'pop3' => 110,
        'smtp' => 25,
    };
}

function server(string $user): ?string
{
    $domain = strtolower(\explode('@', $user)[1] ?? '');
    return match (true) {
        str_ends_with($user, '.branch.test') => '2001:db8::5',
        default => match ($domain) {
            'head.test', 'office.test' => '2001:db8::1',
            'shop.test' => 'shop-mail.internal.test',
            default => null,
        },
    };
}

$user = $_SERVER['HTTP_AUTH_USER'] ?? '';
$server = server($user);
if ($server === null || !login($server, $user, $_SERVER['HTTP_AUTH_PASS'] ?? '')) {
    header('Auth-Status: Invalid login or password');
    header('Auth-Wait: 3');
    exit;
}
header('Auth-Status: OK');
header(sprintf('Auth-Server: %s', gethostbyname($server)));
header(sprintf('Auth-Port: %d', port($_SERVER['HTTP_AUTH_PROTOCOL'])));

function login(string $server, string $user, #[\SensitiveParameter] string $password): bool
{
    try {
        $socket = stream_socket_client("tcp://$server:143", $code, $message, 5);
        fgets($socket);
        fwrite($socket, "1 AUTHENTICATE CRAM-MD5\r\n");
        return str_starts_with((string) fgets($socket), '1 OK');
    } catch (\Throwable $e) {
        return false;
    } finally {
        error_clear_last();
    }
}
