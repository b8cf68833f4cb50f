/* A minimal FastCGI responder, for comparison. It uses libfcgi and sends a fixed
 * header. It reads, looks up and logs nothing. Start one thread for each connection
 * that the web server keeps open.
 *
 *	cc -O2 -o responder responder.c -lfcgi -lpthread
 *	responder /path/of/socket 32
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>

static int listener;

static void *serve(void *unused)
{
	FCGX_Request r;

	FCGX_InitRequest(&r, listener, 0);
	while (FCGX_Accept_r(&r) == 0)
		FCGX_PutS("Status: 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: 143\r\n\r\n", r.out);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int threads = argc > 2 ? atoi(argv[2]) : 32;

	FCGX_Init();
	if (argc < 2 || (listener = FCGX_OpenSocket(argv[1], 128)) < 0)
		return 1;
	while (--threads > 0)
		pthread_create(&thread, NULL, serve, NULL);
	serve(NULL);
	return 0;
}
