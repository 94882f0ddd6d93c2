/* The DLL of t1546-dll.msi. x86_64-w64-mingw32-gcc -shared -o lab.dll lab_dll.c */
#include <stdlib.h>
__declspec(dllexport) unsigned __stdcall Lab(unsigned long handle) { (void)handle; system("cmd.exe /c echo lab > C:\\Windows\\Temp\\t1546_dll.txt"); return 0; }
