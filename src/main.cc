#include "hrt/cli/app.h"

int main(int argc, char** argv) { return hrt::run_cli(argc, argv); }
