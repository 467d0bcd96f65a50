// ready-made PORT FILE: answers whatever is asked on loopback with FILE, by the kernel's sockets alone, until SIGINT or SIGTERM.
//
// Law: the least that a server behind libslirp does for a request is one recv and one send on the kernel's sockets, for libslirp does them; here
// is nothing else. It parses nothing and takes each arrival for one request: for wrk without pipelining, and for no network. So what it reaches is what the client
// and the kernel leave to any stack on this machine: the comparison's row kernel.readyMade.

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop(int number) {
  (void)number;
  _exit(0);
}

static int fail(const char *what) {
  fprintf(stderr, "ready-made: %s: %s\n", what, strerror(errno));
  return 71;
}

static int watch(int set, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
  return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event);
}

/// The header and the file; NULL if it cannot be read.
static char *answer(const char *path, size_t *length) {
  FILE *file = fopen(path, "re");
  if (!file) return NULL;
  static char page[65536];
  size_t size = fread(page, 1, sizeof page, file);
  fclose(file);
  char *bytes = malloc(size + 128);
  if (!bytes) return NULL;
  int header = snprintf(bytes, 128,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\n\r\n", size);
  memcpy(bytes + header, page, size);
  *length = (size_t)header + size;
  return bytes;
}

int main(int count, char **arguments) {
  char *end = NULL;
  long port = count == 3 ? strtol(arguments[1], &end, 10) : 0;
  if (!end || *end || port < 1 || port > 65535) {
    fprintf(stderr, "usage: ready-made PORT FILE\n");
    return 64;
  }
  size_t length = 0;
  char *bytes = answer(arguments[2], &length);
  if (!bytes) return fail(arguments[2]);
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  int one = 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), set = epoll_create1(EPOLL_CLOEXEC);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (listener < 0 || set < 0) return fail("no socket");
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024) || watch(set, listener))
    return fail(arguments[1]);
  printf("listening, try: curl http://127.0.0.1:%ld/\n", port);
  fflush(stdout);
  for (;;) {
    struct epoll_event events[64];
    // It looks once before it sleeps, as the others do for longer: sleeping with work at hand would be a system call more.
    int ready = epoll_wait(set, events, 64, 0);
    if (ready == 0) ready = epoll_wait(set, events, 64, -1);
    for (int i = 0; i < ready; i++) {
      int each = events[i].data.fd;
      if (each == listener) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) continue;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (watch(set, client)) close(client);
        continue;
      }
      char request[4096];
      if (recv(each, request, sizeof request, 0) <= 0 || send(each, bytes, length, MSG_NOSIGNAL) < 0) close(each);
    }
  }
}
