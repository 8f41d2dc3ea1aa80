// Something for tests/lint/hardening.sh to look at: it writes into a buffer on the stack, by a
// length that the compiler cannot know.

#include <cstdio>
#include <cstring>

int main(int, char** words) {
  char buffer[64];
  std::memcpy(buffer, words[0], std::strlen(words[0]) + 1);
  return std::puts(buffer) < 0 ? 1 : 0;
}
