CreateObject("WScript.Shell").Run "cmd.exe /c echo lab > C:\Windows\Temp\t1546_vbs.txt", 0, True
