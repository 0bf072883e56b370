// Files whose memory is shared: what the kernel promises and the regions in files rely on.
#include "../platform/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace mapsafe {
namespace {

constexpr std::size_t kBytes = 1 << 20;

// An empty file, deleted at the end.
class MappedFile : public testing::Test {
 protected:
  MappedFile() : descriptor_(mkstemp(path_.data())) {}
  ~MappedFile() override {
    close(descriptor_);
    unlink(path_.c_str());
  }

  int Open() const { return open(path_.c_str(), O_RDWR | O_CLOEXEC); }

  std::string path_ = testing::TempDir() + "mapsafe-XXXXXX";
  const int descriptor_;
};

// Runs `action` in a child process; its exit status.
template <typename Action>
int InChild(Action action) {
  const pid_t child = fork();
  if (child == 0) _exit(action());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(MappedFile, AnAllocatedFileHasAllItsBlocks) {
  ASSERT_EQ(AllocateFile(descriptor_, kBytes), 0);
  struct stat info;
  ASSERT_EQ(fstat(descriptor_, &info), 0);
  EXPECT_EQ(info.st_size, static_cast<off_t>(kBytes));
  EXPECT_GE(info.st_blocks * 512, static_cast<off_t>(kBytes));
}

TEST_F(MappedFile, AnAllocationKeepsWhatIsThereAndFillsTheHoles) {
  ASSERT_EQ(ftruncate(descriptor_, kBytes), 0);
  ASSERT_EQ(pwrite(descriptor_, "x", 1, kBytes / 2), 1);
  ASSERT_EQ(AllocateFile(descriptor_, kBytes), 0);
  struct stat info;
  ASSERT_EQ(fstat(descriptor_, &info), 0);
  EXPECT_GE(info.st_blocks * 512, static_cast<off_t>(kBytes));
  char found = 0;
  ASSERT_EQ(pread(descriptor_, &found, 1, kBytes / 2), 1);
  EXPECT_EQ(found, 'x');
}

TEST_F(MappedFile, AnAllocationThatCannotBeIsAnError) {
  EXPECT_EQ(AllocateFile(-1, kBytes), EBADF);
}

TEST_F(MappedFile, MappingsOfTwoProcessesAreTheSameMemory) {
  ASSERT_EQ(AllocateFile(descriptor_, kBytes), 0);
  void* base = nullptr;
  ASSERT_EQ(MapFile(descriptor_, kBytes, &base), 0);
  auto* const words = static_cast<std::uint32_t*>(base);
  const int status = InChild([this] {
    void* other = nullptr;
    if (MapFile(Open(), kBytes, &other) != 0) return 1;
    std::atomic_ref<std::uint32_t>(static_cast<std::uint32_t*>(other)[7]).fetch_add(42);
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(words[7], 42u);
  EXPECT_EQ(words[8], 0u);
  UnmapFile(base, kBytes);
}

TEST_F(MappedFile, AMappingThatCannotBeIsAnError) {
  void* base = nullptr;
  EXPECT_EQ(MapFile(-1, kBytes, &base), EBADF);
  EXPECT_EQ(MapFile(descriptor_, 0, &base), EINVAL);
}

TEST_F(MappedFile, AnAnonymousFileGetsAFreeNameOnly) {
  const std::string folder = path_.substr(0, path_.rfind('/'));
  const std::string name = path_ + ".named";
  int anonymous = -1;
  if (OpenAnonymousFile(folder.c_str(), &anonymous) != 0) GTEST_SKIP() << "this file system has no anonymous files";
  EXPECT_EQ(NameFile(anonymous, path_.c_str()), EEXIST);
  EXPECT_EQ(NameFile(anonymous, name.c_str()), 0);
  EXPECT_EQ(access(name.c_str(), F_OK), 0);
  unlink(name.c_str());
  close(anonymous);
}

}  // namespace
}  // namespace mapsafe
