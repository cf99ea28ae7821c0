// What getaddrinfo(3) says: getaddrinfo NAME FAMILY FLAGS, with 0, 4 or 6 for the family and the number of the flags.
// Prints the addresses in its order, one a line, or the name of its error.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(int error) {
  switch (error) {
  case EAI_NONAME: return "EAI_NONAME";
  case EAI_NODATA: return "EAI_NODATA";
  case EAI_AGAIN: return "EAI_AGAIN";
  case EAI_ADDRFAMILY: return "EAI_ADDRFAMILY";
  case EAI_FAIL: return "EAI_FAIL";
  case EAI_SYSTEM: return "EAI_SYSTEM";
  default: return "another error";
  }
}

int main(int count, char **words) {
  if (count != 4) return 2;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = atoi(words[3])};
  hints.ai_family = strcmp(words[2], "4") == 0 ? AF_INET : strcmp(words[2], "6") == 0 ? AF_INET6 : AF_UNSPEC;
  struct addrinfo *found = NULL;
  int error = getaddrinfo(words[1], NULL, &hints, &found);
  if (error != 0) {
    puts(name_of(error));
    return 0;
  }
  for (struct addrinfo *each = found; each != NULL; each = each->ai_next) {
    char text[INET6_ADDRSTRLEN];
    const void *address = each->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)each->ai_addr)->sin_addr
                                                     : (void *)&((struct sockaddr_in6 *)each->ai_addr)->sin6_addr;
    puts(inet_ntop(each->ai_family, address, text, sizeof text));
  }
  freeaddrinfo(found);
  return 0;
}
