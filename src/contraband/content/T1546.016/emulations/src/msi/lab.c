/* The EXE of t1546-exe.msi: starts cmd and whoami, as a dropper would. x86_64-w64-mingw32-gcc -o lab.exe lab.c */
#include <stdlib.h>
int main(void) { return system("cmd.exe /c whoami > C:\\Windows\\Temp\\t1546_whoami.txt"); }
